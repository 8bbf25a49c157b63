// gelu: y = x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3))), element by element.
//
// Hendrycks and Gimpel 2016 (arXiv 1606.08415), the tanh form, which Flax uses by default. x, y: any shape,
// f32 or f64. dx = dy * (1/2 (1 + t) + x/2 (1 - t^2) u'), with u = sqrt(2/pi) (x + 0.044715 x^3) and t =
// tanh(u).
#pragma once

#include "autograd/var.h"

namespace limoe {

Var gelu(const Var& x);

Tensor gelu_forward(const Tensor& x);
Tensor gelu_backward(const Tensor& x, const Tensor& dy);

}  // namespace limoe
