#include "bench/support/router_loss_cases.h"
#include "ops/router_z_loss.h"

namespace limoe::bench {

std::vector<BenchCase> router_z_loss_bench_cases() {
  return router_loss_cases(
      {.op = "router_z_loss",
       .of_probabilities = false,
       .forward = [](const Tensor& x,
                     const Tensor& group_of) { return router_z_loss_forward(x, group_of, 1); },
       .backward = [](const Tensor& x, const Tensor& group_of,
                      const Tensor& dloss) { return router_z_loss_backward(x, group_of, 1, dloss); }});
}

}  // namespace limoe::bench
