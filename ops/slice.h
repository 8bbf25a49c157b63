// slice: the indices begin .. end - 1 of one axis; a negative axis counts from the last. A view. The gradient
// is zero outside the slice.
#pragma once

#include "autograd/var.h"

namespace limoe {

Var slice(const Var& x, int axis, int64_t begin, int64_t end);

Tensor slice_backward(const Shape& x_shape, int axis, int64_t begin, const Tensor& dy);

}  // namespace limoe
