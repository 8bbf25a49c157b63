// mul: y = a * b, element by element; a, b, y of one shape, f32 or f64. da = dy * b, db = dy * a.
#pragma once

#include "autograd/var.h"

namespace limoe {

Var mul(const Var& a, const Var& b);
Tensor mul_forward(const Tensor& a, const Tensor& b);

}  // namespace limoe
