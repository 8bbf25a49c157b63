// global_entropy_loss: how far a modality is from using enough experts.
//
//   loss = max(0, threshold - H(q)),   q = mean_n p_n,   p = softmax(logits)
//   H(q) = - sum_e q_e log q_e, the natural logarithm, 0 log 0 = 0
//
// Mustafa et al. 2022 (LIMoE, arXiv 2206.02770). With threshold = log(S) the loss vanishes once the mean
// probabilities are as spread as a uniform choice among S experts: a soft minimum of S experts. Minus the
// entropy, not plus: minimising the loss raises H(q).
//
// logits: [N, E], f32 or f64; group_of: i32 [N]; loss: []. Computed on every group alone, over the n tokens
// with group_of = group (-1 is not counted: padding, the other modality), then averaged over the groups that
// hold one; 0 when none does. Where the loss is above 0,
//   dlogits[i, e] = (1 / n) p_ie (log q_e - sum_k p_ik log q_k),
// elsewhere, the kink included, 0.
#pragma once

#include "autograd/var.h"

namespace limoe {

Var global_entropy_loss(const Var& logits, double threshold, const Tensor& group_of, int64_t groups);

Tensor global_entropy_loss_forward(const Tensor& logits, double threshold, const Tensor& group_of,
                                   int64_t groups);
Tensor global_entropy_loss_backward(const Tensor& logits, double threshold, const Tensor& group_of,
                                    int64_t groups, const Tensor& dy);

}  // namespace limoe
