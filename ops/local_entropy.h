// local_entropy: how unsure the router is of single tokens.   loss = mean_n H(p_n),  p = softmax(logits)
//
//   H(p) = - sum_e p_e log p_e, the natural logarithm, 0 log 0 = 0
//
// Mustafa et al. 2022 (LIMoE, arXiv 2206.02770): minimised over one modality's tokens, it makes every choice
// a confident one. logits: [N, E], f32 or f64; group_of: i32 [N]; loss: []. Computed on every group alone,
// over the n tokens with group_of = group (-1 is not counted: padding, the other modality), then averaged
// over the groups that hold one; 0 when none does. dlogits[i, e] = -(1 / n) p_ie (log p_ie + H(p_i)).
#pragma once

#include "autograd/var.h"

namespace limoe {

Var local_entropy(const Var& logits, const Tensor& group_of, int64_t groups);

Tensor local_entropy_forward(const Tensor& logits, const Tensor& group_of, int64_t groups);
Tensor local_entropy_backward(const Tensor& logits, const Tensor& group_of, int64_t groups, const Tensor& dy);

}  // namespace limoe
