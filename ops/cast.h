// cast: x in another dtype, rounded to nearest where it is narrower; the gradient is dy in the dtype of x.
// A floating tensor cannot become integers; integers have no gradient.
#pragma once

#include "autograd/var.h"

namespace limoe {

Var cast(const Var& x, DType dtype);

Tensor cast_forward(const Tensor& x, DType dtype);

}  // namespace limoe
