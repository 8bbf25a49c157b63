// linear: y = x W + b over the last axis.
//
// x [..., K], kernel W [K, M], bias b [M] or none -> y [..., M]; all f32 or all f64, on a device f32 or
// bf16 (sums in f32).
// dx = dy W^T, dW = x^T dy, db = sum of dy over all rows. Sums over rows are cut into runs that depend on the
// shape alone, so the bits do not depend on the number of threads.
#pragma once

#include "autograd/var.h"

namespace limoe {

Var linear(const Var& x, const Var& kernel, const Var& bias);
Var linear(const Var& x, const Var& kernel);

Tensor linear_forward(const Tensor& x, const Tensor& kernel, const Tensor& bias);  // bias may be undefined
Tensor linear_backward_x(const Tensor& kernel, const Tensor& dy);
Tensor linear_backward_kernel(const Tensor& x, const Tensor& dy);
Tensor linear_backward_bias(const Tensor& dy);

}  // namespace limoe
