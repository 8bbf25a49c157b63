// softmax over the last axis:   y = exp(x - max(x)) / sum(exp(x - max(x)))
//
// x, y: [..., columns], f32 or f64, columns >= 1. Subtracting the row's maximum keeps exp() in (0, 1].
// In f32 on the CPU exp() of less than -87, where a float has no normal number left, is 0.
// A row that holds a NaN, or +inf, or nothing but -inf becomes NaN.
// dx = y * (dy - sum(y * dy)), the sum over the row.
#pragma once

#include "autograd/var.h"

namespace limoe {

Var softmax(const Var& x);

Tensor softmax_forward(const Tensor& x);
Tensor softmax_backward(const Tensor& y, const Tensor& dy);

}  // namespace limoe
