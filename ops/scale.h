// scale: y = factor * x, element by element; x, y of any shape, f32 or f64. dx = factor * dy.
#pragma once

#include "autograd/var.h"

namespace limoe {

Var scale(const Var& x, double factor);
Tensor scale_forward(const Tensor& x, double factor);

}  // namespace limoe
