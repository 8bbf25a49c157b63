// exp: y = e^x, element by element; x, y of any shape, f32 or f64. dx = dy * y.
#pragma once

#include "autograd/var.h"

namespace limoe {

Var exp(const Var& x);
Tensor exp_forward(const Tensor& x);

}  // namespace limoe
