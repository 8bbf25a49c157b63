#include "ops/exp.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/op_case.h"

using namespace limoe;
using namespace limoe::testing;

TEST_CASE("exp: gradient, f32, views, threads and memory on odd shapes") {
  for (const Shape& shape : {Shape{}, Shape{0, 3}, Shape{1, 31}, Shape{3, 33}})
    check_op({"exp", {normal(shape)}, [](const Vars& in) { return limoe::exp(in[0]); }});
}

TEST_CASE("exp: a device agrees on odd shapes and on whole packs") {
  for (const Shape& shape : {Shape{}, Shape{0, 3}, Shape{1, 31}, Shape{3, 33}, Shape{4, 64}})
    check_device({"exp", {normal(shape)}, [](const Vars& in) { return limoe::exp(in[0]); }});
}

TEST_CASE("exp: zero, minus infinity, overflow and NaN; an integer tensor is refused by name") {
  const std::vector<double> y =
      to_vector<double>(exp_forward(from_vector<double>({5}, {0, -INFINITY, -1e4, 1e4, NAN})));
  CHECK(y[0] == 1.0);
  CHECK(y[1] == 0.0);
  CHECK(y[2] == 0.0);
  CHECK(y[3] == INFINITY);
  CHECK(std::isnan(y[4]));
  CHECK_THROWS_WITH_AS(exp_forward(zeros({2}, DType::i32)), "exp: x is i32; expected a floating dtype",
                       DTypeError);
}
