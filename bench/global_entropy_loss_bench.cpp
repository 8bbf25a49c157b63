#include "bench/support/router_loss_cases.h"
#include "ops/global_entropy_loss.h"

namespace limoe::bench {

constexpr double kThreshold = 3;  // above log E, so that the loss acts

std::vector<BenchCase> global_entropy_loss_bench_cases() {
  return router_loss_cases({.op = "global_entropy_loss",
                            .of_probabilities = false,
                            .forward =
                                [](const Tensor& x, const Tensor& group_of) {
                                  return global_entropy_loss_forward(x, kThreshold, group_of, 1);
                                },
                            .backward =
                                [](const Tensor& x, const Tensor& group_of, const Tensor& dloss) {
                                  return global_entropy_loss_backward(x, kThreshold, group_of, 1, dloss);
                                }});
}

}  // namespace limoe::bench
