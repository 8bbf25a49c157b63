#include "ops/gelu.h"

#include <doctest/doctest.h>

#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/op_case.h"

using namespace limoe;
using namespace limoe::testing;

TEST_CASE("gelu: gradient, f32, views, threads and memory on odd shapes") {
  for (const Shape& shape : {Shape{}, Shape{0, 3}, Shape{1}, Shape{1, 31}, Shape{3, 33}, Shape{2, 3, 5}})
    check_op({"gelu", {normal(shape, 0, 2)}, [](const Vars& in) { return gelu(in[0]); }});
}

TEST_CASE("gelu: a device agrees on odd shapes and on whole packs") {
  for (const Shape& shape : {Shape{}, Shape{0, 3}, Shape{1, 31}, Shape{3, 33}, Shape{4, 64}, Shape{65, 257}})
    check_device({"gelu", {normal(shape, 0, 2)}, [](const Vars& in) { return gelu(in[0]); }});
}

TEST_CASE("gelu: values at points worked out by hand") {
  // 0.5 * 1 * (1 + tanh(0.7978845608 * 1.044715)) = 0.841191990...
  const Tensor x = from_vector<double>({5}, {-1e4, -1, 0, 1, 1e4});
  CHECK_CLOSE(gelu_forward(x),
              from_vector<double>({5}, {0, -0.15880800939172324, 0, 0.8411919906082768, 1e4}),
              tolerance::kGoldenF64);
}

TEST_CASE("gelu: a thousand runs of elements have the same bits on any number of threads") {
  CHECK(threads_agree({"gelu", {normal({100, 1001})}, [](const Vars& in) { return gelu(in[0]); }}).ok);
}

TEST_CASE("gelu: an integer tensor is refused by name") {
  CHECK_THROWS_WITH_AS(gelu_forward(zeros({2}, DType::i32)), "gelu: x is i32; expected a floating dtype",
                       DTypeError);
  CHECK_THROWS_WITH_AS(gelu_backward(zeros({2}), zeros({3})),
                       "gelu backward: dy is [3]; expected [2] because x is that", ShapeError);
}
