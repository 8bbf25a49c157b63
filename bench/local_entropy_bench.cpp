#include "bench/support/router_loss_cases.h"
#include "ops/local_entropy.h"

namespace limoe::bench {

std::vector<BenchCase> local_entropy_bench_cases() {
  return router_loss_cases(
      {.op = "local_entropy",
       .of_probabilities = false,
       .forward = [](const Tensor& x,
                     const Tensor& group_of) { return local_entropy_forward(x, group_of, 1); },
       .backward = [](const Tensor& x, const Tensor& group_of,
                      const Tensor& dloss) { return local_entropy_backward(x, group_of, 1, dloss); }});
}

}  // namespace limoe::bench
