// gshard_loss: the load balancing loss of Lepikhin et al. 2020 ("GShard") and Fedus et al. 2021 ("Switch
// transformers").
//
//   loss = E * sum_e f_e * P_e,   f_e = share of tokens whose largest probability is expert e's (of equal
//                                       ones, the lower index), P_e = mean_n probs[n, e]
//
// 1 for an even spread. probs: [N, E], f32 or f64; group_of: i32 [N]; loss: []. Computed on every group
// alone, over the n tokens with group_of = group (-1 is not counted), then averaged over the groups that hold
// one; 0 when none does. The shares f are counts and have no gradient: dprobs[i, e] = E f_e / n.
#pragma once

#include "autograd/var.h"

namespace limoe {

Var gshard_loss(const Var& probs, const Tensor& group_of, int64_t groups);

Tensor gshard_loss_forward(const Tensor& probs, const Tensor& group_of, int64_t groups);
Tensor gshard_loss_backward(const Tensor& probs, const Tensor& group_of, int64_t groups, const Tensor& dy);

}  // namespace limoe
