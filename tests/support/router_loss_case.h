// What every router loss has in common, checked for one of them.
#pragma once

#include <functional>
#include <string>

#include "autograd/var.h"
#include "tests/support/golden_ops.h"

namespace limoe::testing {

struct RouterLossCase {
  std::string name;
  // The loss of router rows [N, E], with whatever else it takes bound.
  std::function<Var(const Var& rows, const Tensor& group_of, int64_t groups)> loss;
  bool of_probabilities = false;  // rows are positive rather than any numbers
};

// Gradient, f32, views, threads and memory on odd sizes and groups; a group alone; tokens that are not
// counted; no counted token at all; thousands of tokens on 1, 2 and 3 threads; arguments that do not fit.
void check_router_loss(const RouterLossCase& loss_case);

// A device against the CPU on odd numbers of tokens and experts, with groups of all sizes and tokens that are
// not counted; a NaN shows unless its token is not counted.
void check_router_loss_on_device(const RouterLossCase& loss_case);

struct LossAndGradient {
  Tensor loss, gradient;
};
LossAndGradient loss_and_gradient(const RouterLossCase& loss_case, const Tensor& rows, const Tensor& group_of,
                                  int64_t groups);

// The case <prefix> of ops.safetensors: logits x, loss y and dx, all tokens in one group.
void check_golden_loss(const std::string& prefix, const std::function<Var(const Var& logits)>& loss);

}  // namespace limoe::testing
