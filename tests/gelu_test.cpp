#include "ops/gelu.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

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

TEST_CASE("gelu: f32 agrees with the f64 formula over the whole range, gradient included") {
  std::vector<float> x;
  for (float magnitude = 1e-30f; magnitude < 1e30f; magnitude *= 1.003f)
    for (const float sign : {-1.f, 1.f}) x.push_back(sign * magnitude);
  const Tensor narrow = from_vector<float>({int64_t(x.size())}, x), ones = full(narrow.shape(), 1);
  const Tensor wide = to_dtype(narrow, DType::f64);
  CHECK_CLOSE(gelu_forward(narrow), gelu_forward(wide), tolerance::f32_sum(1));
  CHECK_CLOSE(gelu_backward(narrow, ones), gelu_backward(wide, to_dtype(ones, DType::f64)),
              tolerance::f32_sum(1));
}

TEST_CASE(
    "gelu: value and gradient in one are the bits of both alone, also of a view, whose gradient stays") {
  for (const DType dtype : {DType::f32, DType::f64})
    for (const Shape& shape : {Shape{0}, Shape{7}, Shape{3, 33}, Shape{40, 64}}) {
      const Tensor x = to_dtype(normal(shape, 1, 2), dtype), dy = to_dtype(normal(shape, 2), dtype);
      Tensor gradient = to_dtype(normal(shape, 2), dtype);
      CHECK_SAME_BITS(gelu_forward_and_backward(x, gradient), gelu_forward(x));
      CHECK_SAME_BITS(gradient, gelu_backward(x, dy));
    }
  const Tensor x = normal({5, 8}, 1, 2), dy = normal({5, 8}, 2);
  Tensor turned = dy.transpose(0, 1);
  CHECK_SAME_BITS(gelu_forward_and_backward(x.transpose(0, 1), turned), gelu_forward(x.transpose(0, 1)));
  CHECK_SAME_BITS(turned, gelu_backward(x.transpose(0, 1), dy.transpose(0, 1)));
  CHECK_SAME_BITS(dy, normal({5, 8}, 2));
  Tensor wrong = zeros({4, 8}, DType::f64);
  CHECK_THROWS_WITH_AS(gelu_forward_and_backward(x, wrong),
                       "gelu backward: dy is [4, 8]; expected [5, 8] because x is that", ShapeError);
}

TEST_CASE("gelu: NaN stays NaN, and the ends are 0 and infinity") {
  const float inf = std::numeric_limits<float>::infinity();
  const Tensor x = from_vector<float>({4}, {NAN, -inf, inf, -0.f}), ones = full({4}, 1);
  const std::vector<float> y = to_vector<float>(gelu_forward(x)),
                           dx = to_vector<float>(gelu_backward(x, ones));
  CHECK(std::isnan(y[0]));
  CHECK(std::abs(y[1]) < 1e-36f);
  CHECK(y[2] == inf);
  CHECK(y[3] == 0);
  CHECK(std::isnan(dx[0]));
  CHECK(std::abs(dx[1]) < 1e-34f);
  CHECK(dx[2] == 1);
  CHECK(dx[3] == 0.5f);
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
