#include "bench/support/router_loss_cases.h"
#include "ops/importance_loss.h"

namespace limoe::bench {

std::vector<BenchCase> importance_loss_bench_cases() {
  return router_loss_cases(
      {.op = "importance_loss",
       .of_probabilities = true,
       .forward = [](const Tensor& x,
                     const Tensor& group_of) { return importance_loss_forward(x, group_of, 1); },
       .backward = [](const Tensor& x, const Tensor& group_of,
                      const Tensor& dloss) { return importance_loss_backward(x, group_of, 1, dloss); }});
}

}  // namespace limoe::bench
