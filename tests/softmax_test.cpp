#include "ops/softmax.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/op_case.h"

using namespace limoe;
using namespace limoe::testing;

TEST_CASE("softmax: gradient, f32, views, threads and memory on odd shapes") {
  for (const Shape& shape : {Shape{0, 3}, Shape{1}, Shape{4, 1}, Shape{3, 31}, Shape{2, 2, 33}})
    check_op({"softmax", {normal(shape)}, [](const Vars& in) { return softmax(in[0]); }});
}

TEST_CASE("softmax: a row of equal values is uniform, however large they are") {
  for (const double value : {0.0, 1e4, -1e4})
    CHECK_CLOSE(softmax_forward(full({2, 4}, value, DType::f64)), full({2, 4}, 0.25, DType::f64),
                tolerance::kExact);
}

TEST_CASE(
    "softmax: minus infinity has probability zero; NaN and a row of nothing but minus infinity become NaN") {
  const Tensor x = from_vector<double>({3, 2}, {0, -INFINITY, NAN, 1, -INFINITY, -INFINITY});
  const std::vector<double> y = to_vector<double>(softmax_forward(x));
  CHECK(y[0] == 1.0);
  CHECK(y[1] == 0.0);
  for (const int i : {2, 3, 4, 5}) CHECK(std::isnan(y[i]));
}

TEST_CASE("softmax: no columns and scalars are refused") {
  CHECK_THROWS_WITH_AS(softmax_forward(zeros({2, 0})), "softmax: x is [2, 0]; expected at least one column",
                       ShapeError);
  CHECK_THROWS_WITH_AS(softmax_forward(zeros({})), "softmax: x is []; expected rank 1 or more", ShapeError);
}
