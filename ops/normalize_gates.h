// normalize_gates: y[n, k] = g[n, k] / s[n],  s[n] = sum_k g[n, k]
//
// g, y: [..., K], f32 or f64. A row whose sum is 0 (a token that is not routed) stays zero and gets no
// gradient. With K = 1 every gate becomes 1, and then the router learns nothing from the task; that is why
// LIMoE leaves its gates as they are, and others with K >= 2 (Du et al. 2021, "GLaM") do not.
// dg = (dy - sum(y * dy)) / s, the sum over the row.
#pragma once

#include "autograd/var.h"

namespace limoe {

Var normalize_gates(const Var& gates);

Tensor normalize_gates_forward(const Tensor& gates);
Tensor normalize_gates_backward(const Tensor& gates, const Tensor& dy);

}  // namespace limoe
