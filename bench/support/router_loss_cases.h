// A router loss over [tokens, experts], all tokens in one group: forward and backward.
#pragma once

#include <functional>

#include "bench/support/bench_case.h"

namespace limoe::bench {

struct RouterLoss {
  std::string op;
  bool of_probabilities = false;  // else of logits
  std::function<Tensor(const Tensor& rows, const Tensor& group_of)> forward;
  std::function<Tensor(const Tensor& rows, const Tensor& group_of, const Tensor& dloss)> backward;
};

std::vector<BenchCase> router_loss_cases(const RouterLoss& loss);

}  // namespace limoe::bench
