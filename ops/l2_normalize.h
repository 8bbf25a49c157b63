// l2_normalize over the last axis:   y = x / (|x| + 1e-8)
//
// x, y: [..., D], f32 or f64. The guard is added to the norm, so y is 0 at x = 0 and never NaN there.
// With n = |x| and m = n + 1e-8:   dx = dy / m - x * (x . dy) / (n m^2).
// y is differentiable at x = 0 too: it is x / 1e-8 up to terms of second order, so dx = dy / 1e-8 there:
// large, finite, and what the formula says. In f32 rows whose norm is above 1e19 or (but for 0) below 1e-22
// are out of range: their squares are.
#pragma once

#include "autograd/var.h"

namespace limoe {

Var l2_normalize(const Var& x);

Tensor l2_normalize_forward(const Tensor& x);
Tensor l2_normalize_backward(const Tensor& x, const Tensor& dy);

}  // namespace limoe
