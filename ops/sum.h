// sum: y = the sum of all elements of x, as a scalar []; x of any shape, f32 or f64; 0 if x has none.
// dx = dy everywhere. Runs of elements are added up by themselves and then in order.
#pragma once

#include "autograd/var.h"

namespace limoe {

Var sum(const Var& x);
Tensor sum_forward(const Tensor& x);
Tensor sum_backward(const Shape& x_shape, const Tensor& dy);

}  // namespace limoe
