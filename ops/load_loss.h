// load_loss: how unevenly tokens are likely to be spread over experts, were the router's noise drawn anew.
//
//   t_n     = the K-th largest of noisy_logits[n]
//   q[n, e] = 1 - Phi((t_n - logits[n, e]) / s),  the chance that expert e is among the chosen
//   load_e  = mean_n q[n, e]     loss = (std(load) / mean(load))^2, std of the population
//
// Shazeer et al. 2017, as in Riquelme et al. 2021. logits (without noise), noisy_logits: [N, E], f32 or f64;
// s > 0 is the deviation of the noise; group_of: i32 [N]; loss: []. Computed on every group alone, over the n
// tokens with group_of = group (-1 is not counted), then averaged over the groups that hold one; 0 when none
// does. The threshold keeps its gradient: with c_e = dloss / dload_e and phi the density of Phi,
//   dlogits[i, e] = c_e phi((t_i - logits[i, e]) / s) / (s n),
//   dnoisy_logits[i, argument of t_i] = - sum_e dlogits[i, e], and 0 elsewhere.
#pragma once

#include "autograd/var.h"

namespace limoe {

struct LoadSettings {
  int64_t experts_per_token = 1;  // K
  double noise_deviation = 0;     // s
  int64_t groups = 1;
};

struct LoadGradients {
  Tensor dlogits, dnoisy_logits;
};

Var load_loss(const Var& logits, const Var& noisy_logits, int64_t experts_per_token, double noise_deviation,
              const Tensor& group_of, int64_t groups);

Tensor load_loss_forward(const Tensor& logits, const Tensor& noisy_logits, const Tensor& group_of,
                         const LoadSettings& settings);
LoadGradients load_loss_backward(const Tensor& logits, const Tensor& noisy_logits, const Tensor& group_of,
                                 const LoadSettings& settings, const Tensor& dy);

}  // namespace limoe
