// What layer_norm and add_layer_norm ask of their arguments. For the .cpp files of ops.
#pragma once

#include "ops/check.h"

namespace limoe {

inline void expect_layer_norm_arguments(const char* op, const Tensor& x, const Tensor& scale,
                                        const Tensor& bias, double epsilon) {
  expect_floating(op, "x", x);
  expect_rank_at_least(op, "x", x, 1);
  if (x.dim(-1) == 0) throw ShapeError(op, ": x is ", x.shape(), "; expected at least one column");
  expect_shape(op, "scale", scale, {x.dim(-1)}, "because x is ", x.shape());
  expect_shape(op, "bias", bias, {x.dim(-1)}, "because x is ", x.shape());
  expect_same_kind(op, "scale", scale, "x", x);
  expect_same_kind(op, "bias", bias, "x", x);
  if (!(epsilon >= 0)) throw ValueError(op, ": epsilon is ", epsilon, "; expected 0 or more");
}

}  // namespace limoe
