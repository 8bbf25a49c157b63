// router_z_loss: keeps router logits small.   loss = mean_n (log sum_e exp(logits[n, e]))^2
//
// Zoph et al. 2022 ("ST-MoE", arXiv 2202.08906). logits: [N, E], f32 or f64; group_of: i32 [N]; loss: [].
// Computed on every group alone, over the n tokens with group_of = group (-1 is not counted), then averaged
// over the groups that hold one; 0 when none does. dlogits[i, e] = (2 / n) lse_i p_ie, with lse the logarithm
// above and p the softmax.
#pragma once

#include "autograd/var.h"

namespace limoe {

Var router_z_loss(const Var& logits, const Tensor& group_of, int64_t groups);

Tensor router_z_loss_forward(const Tensor& logits, const Tensor& group_of, int64_t groups);
Tensor router_z_loss_backward(const Tensor& logits, const Tensor& group_of, int64_t groups, const Tensor& dy);

}  // namespace limoe
