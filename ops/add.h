// add: y = a + b, element by element; a, b, y of one shape, f32 or f64. da = dy, db = dy.
#pragma once

#include "autograd/var.h"

namespace limoe {

Var add(const Var& a, const Var& b);
Tensor add_forward(const Tensor& a, const Tensor& b);

}  // namespace limoe
