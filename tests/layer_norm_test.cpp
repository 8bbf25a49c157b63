#include "ops/layer_norm.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/golden_op.h"
#include "tests/support/op_case.h"

using namespace limoe;
using namespace limoe::testing;

namespace {

Var run(const Vars& in) {
  return layer_norm(in[0], in[1], in[2]);
}

OpCase layer_norm_case(const Shape& shape, double deviation = 1) {
  const Shape row{shape[-1]};
  return {"layer_norm",
          {normal(shape, 1, deviation), normal(row, 2), normal(row, 3)},
          run,
          shape.element_count()};
}

}  // namespace

TEST_CASE("layer_norm: gradient, f32, views, threads and memory on odd shapes") {
  for (const Shape& shape : {Shape{0, 3}, Shape{5}, Shape{3, 31}, Shape{2, 32}, Shape{2, 2, 33}, Shape{1, 7}})
    check_op(layer_norm_case(shape));
  for (const Comparison& result :
       {gradcheck(layer_norm_case({2, 257})), f32_agrees(layer_norm_case({2, 257}))})
    CHECK_MESSAGE(result.ok, result.message);
}

TEST_CASE("layer_norm: a device agrees on rows in registers, on wide and odd ones, and on many rows") {
  for (const Shape& shape :
       {Shape{0, 3}, Shape{5}, Shape{3, 31}, Shape{2, 32}, Shape{2, 2, 33}, Shape{5, 64}, Shape{3, 197},
        Shape{2, 257}, Shape{2, 512}, Shape{3, 768}, Shape{2, 1024}, Shape{2, 1288}, Shape{70, 40}})
    check_device(layer_norm_case(shape));
}

TEST_CASE("layer_norm: two thousand rows have the same bits on any number of threads, and agree with f64") {
  for (const Comparison& result :
       {threads_agree(layer_norm_case({2000, 65})), f32_agrees(layer_norm_case({2000, 65}))})
    CHECK_MESSAGE(result.ok, result.message);
}

TEST_CASE("layer_norm: a row worked out by hand, equal values, one column, and a large mean") {
  const Tensor ones = full({2}, 1, DType::f64), none = zeros({2}, DType::f64);
  // mean 2, variance 1: (1 - 2) / sqrt(1 + 3) = -0.5
  CHECK_CLOSE(layer_norm_forward(from_vector<double>({1, 2}, {1, 3}), ones, none, 3).y,
              from_vector<double>({1, 2}, {-0.5, 0.5}), tolerance::kExact);
  for (const double value : {0.0, 1e4, -1e4})
    CHECK_CLOSE(layer_norm_forward(full({3, 2}, value, DType::f64), ones, full({2}, 7, DType::f64), 1e-6).y,
                full({3, 2}, 7, DType::f64), tolerance::kExact);
  CHECK_CLOSE(layer_norm_forward(full({3, 1}, 5), full({1}, 2), full({1}, -1), 1e-6).y, full({3, 1}, -1),
              tolerance::kExact);
  CHECK_CLOSE(layer_norm_forward(from_vector<float>({1, 2}, {10001, 10003}), full({2}, 1), zeros({2}), 0).y,
              from_vector<float>({1, 2}, {-1, 1}), tolerance::kExact);
}

TEST_CASE("layer_norm: NaN stays in its row") {
  const Tensor x = from_vector<double>({2, 2}, {NAN, 1, 1, 3});
  const std::vector<double> y =
      to_vector<double>(layer_norm_forward(x, full({2}, 1, DType::f64), zeros({2}, DType::f64), 0).y);
  CHECK(std::isnan(y[0]));
  CHECK(std::isnan(y[1]));
  CHECK(y[2] == -1.0);
  CHECK(y[3] == 1.0);
}

TEST_CASE("layer_norm: sizes, dtypes and a negative epsilon are refused by name") {
  const Tensor x = zeros({2, 4}), row = zeros({4});
  CHECK_THROWS_WITH_AS(layer_norm_forward(x, zeros({3}), row, 1e-6),
                       "layer_norm: scale is [3]; expected [4] because x is [2, 4]", ShapeError);
  CHECK_THROWS_WITH_AS(layer_norm_forward(x, row, zeros({4}, DType::f64), 1e-6),
                       "layer_norm: bias is f64; expected f32 like x", DTypeError);
  CHECK_THROWS_WITH_AS(layer_norm_forward(zeros({2, 0}), zeros({0}), zeros({0}), 1e-6),
                       "layer_norm: x is [2, 0]; expected at least one column", ShapeError);
  CHECK_THROWS_WITH_AS(layer_norm_forward(x, row, row, -1), "layer_norm: epsilon is -1; expected 0 or more",
                       ValueError);
}

TEST_CASE("layer_norm: agrees with an independent implementation, gradients included") {
  for (const char* name :
       {"layer_norm.rows", "layer_norm.odd", "layer_norm.one_row", "layer_norm.near_constant"})
    check_golden(name, {"x", "scale", "bias"}, run);
}
