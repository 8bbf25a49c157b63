#include "bench/support/bench_case.h"
#include "bench/support/routing.h"
#include "bench/support/shapes.h"
#include "ops/select_gates.h"
#include "tensor/error.h"

namespace limoe::bench {

std::vector<BenchCase> select_gates_bench_cases() {
  std::vector<BenchCase> cases;
  for (const TowerShape& tower : tower_shapes()) {
    const Shape shape{tower.tokens, tower.experts};
    const double bytes = bytes_of(double(shape.element_count()));
    cases.push_back({.op = "select_gates",
                     .pass = "forward",
                     .shape = concatenate(shape),
                     .bytes = bytes,
                     .make = [&tower](DType dtype) {
                       const Tensor probs = bench_probs(tower, dtype);
                       const Routing routing = bench_routing(tower);
                       return BenchCall(
                           [=] { return Tensors{select_gates_forward(probs, routing.expert_of)}; });
                     }});
    cases.push_back({.op = "select_gates",
                     .pass = "backward",
                     .shape = concatenate(shape),
                     .bytes = bytes,
                     .make = [&tower](DType dtype) {
                       const Tensor dy = bench_normal({tower.tokens, 1}, dtype);
                       const Routing routing = bench_routing(tower);
                       return BenchCall([=, experts = tower.experts] {
                         return Tensors{select_gates_backward(routing.expert_of, experts, dy)};
                       });
                     }});
  }
  return cases;
}

}  // namespace limoe::bench
