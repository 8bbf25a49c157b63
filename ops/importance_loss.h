// importance_loss: how unevenly the probability mass is spread over experts.
//
//   I_e = sum_n probs[n, e]     loss = (std(I) / mean(I))^2, std of the population
//
// Shazeer et al. 2017 ("Outrageously large neural networks"), as in Riquelme et al. 2021, on probabilities
// without noise. probs: [N, E], f32 or f64; group_of: i32 [N]; loss: []. Computed on every group alone, over
// the tokens with group_of[n] = group (-1 is not counted), then averaged over the groups that hold one; 0
// when none does. dprobs[n, e] = 2 (I_e - m - v / m) / (E m^2), with m and v the mean and variance of I,
// shared by all tokens of a group.
#pragma once

#include "autograd/var.h"

namespace limoe {

Var importance_loss(const Var& probs, const Tensor& group_of, int64_t groups);

Tensor importance_loss_forward(const Tensor& probs, const Tensor& group_of, int64_t groups);
Tensor importance_loss_backward(const Tensor& probs, const Tensor& group_of, int64_t groups,
                                const Tensor& dy);

}  // namespace limoe
