#include "ops/normalize_gates.h"

#include <doctest/doctest.h>

#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/op_case.h"

using namespace limoe;
using namespace limoe::testing;

TEST_CASE("normalize_gates: gradient, f32, views, threads and memory") {
  for (const Shape& shape : {Shape{0, 2}, Shape{1, 1}, Shape{5, 2}, Shape{3, 3}, Shape{2, 2, 4}})
    check_op(
        {"normalize_gates", {uniform(shape, 0.1, 1)}, [](const Vars& in) { return normalize_gates(in[0]); }});
}

TEST_CASE("normalize_gates: a device agrees on odd shapes, with rows of zeros") {
  for (const Shape& shape : {Shape{0, 2}, Shape{1, 1}, Shape{31, 2}, Shape{33, 3}, Shape{129, 2}}) {
    Tensor gates = uniform(shape, 0.05, 1);
    for (int64_t i = 0; i < gates.element_count(); ++i)
      if (i / shape[-1] % 5 == 1) gates.mutable_data<double>()[i] = 0;
    check_device({"normalize_gates", {gates}, [](const Vars& in) { return normalize_gates(in[0]); }});
  }
}

TEST_CASE("normalize_gates: rows add up to 1; a row of zeros stays zero and gets no gradient") {
  const Tensor gates = from_vector<double>({3, 2}, {.25, .75, .2, .6, 0, 0});
  CHECK_CLOSE(normalize_gates_forward(gates), from_vector<double>({3, 2}, {.25, .75, .25, .75, 0, 0}),
              tolerance::kGoldenF64);
  const std::vector<double> dgates =
      to_vector<double>(normalize_gates_backward(gates, full({3, 2}, 3, DType::f64)));
  CHECK(dgates[4] == 0);
  CHECK(dgates[5] == 0);
}

TEST_CASE("normalize_gates: integers and scalars are refused") {
  CHECK_THROWS_AS(normalize_gates_forward(zeros({2, 2}, DType::i32)), DTypeError);
  CHECK_THROWS_AS(normalize_gates_forward(zeros({})), ShapeError);
}
