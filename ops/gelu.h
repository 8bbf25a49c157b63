// gelu: y = x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3))), element by element.
//
// Hendrycks and Gimpel 2016 (arXiv 1606.08415), the tanh form, which Flax uses by default. x, y: any shape,
// f32 or f64. dx = dy * (1/2 (1 + t) + x/2 (1 - t^2) u'), with u = sqrt(2/pi) (x + 0.044715 x^3) and t =
// tanh(u). As (1 + t) / 2 = s = 1 / (1 + exp(-2u)), f32 on the CPU computes y = x s and dx = dy (s + x s (1 -
// s) 2u'): one exp() and one division, and no digits lost where t is near -1. There x below -10 counts as
// -10, where y is -1e-37; so y is 0 but for that at -inf, and inf at inf.
#pragma once

#include "autograd/var.h"

namespace limoe {

Var gelu(const Var& x);

Tensor gelu_forward(const Tensor& x);
Tensor gelu_backward(const Tensor& x, const Tensor& dy);

// y, and what `gradient` held as dy becomes dx; on the CPU each in its own memory, y in that of x where nobody
// else holds it: for who computes y again on the way back instead of keeping it.
Tensor gelu_forward_and_backward(Tensor x, Tensor& gradient);

}  // namespace limoe
