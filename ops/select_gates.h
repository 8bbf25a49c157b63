// select_gates: y[n, k] = probs[n, expert_of[n, k]], and 0 where expert_of is -1 (a token that is not
// routed).
//
// probs: [N, E], f32 or f64; expert_of: i32 [N, K] (ops/moe_route.h); y: [N, K]. The chosen probabilities as
// they are: this is how the loss of the task reaches the router. dprobs[n, e] = the sum of dy[n, k] over the
// k with expert_of[n, k] = e.
#pragma once

#include "autograd/var.h"

namespace limoe {

Var select_gates(const Var& probs, const Tensor& expert_of);

Tensor select_gates_forward(const Tensor& probs, const Tensor& expert_of);
Tensor select_gates_backward(const Tensor& expert_of, int64_t experts, const Tensor& dy);

}  // namespace limoe
