#include "bench/support/bench_case.h"
#include "bench/support/routing.h"
#include "bench/support/shapes.h"
#include "ops/moe_dispatch.h"
#include "tensor/error.h"

namespace limoe::bench {

std::vector<BenchCase> moe_dispatch_bench_cases() {
  std::vector<BenchCase> cases;
  for (const TowerShape& tower : tower_shapes()) {
    const Shape shape{tower.tokens, tower.width};
    const double array = bytes_of(double(shape.element_count()));
    cases.push_back({.op = "moe_dispatch",
                     .pass = "forward",
                     .shape = concatenate(shape),
                     .bytes = 2 * array,
                     .make = [&tower, shape](DType dtype) {
                       const Tensor x = bench_normal(shape, dtype);
                       const Routing routing = bench_routing(tower);
                       return BenchCall([=] { return Tensors{moe_dispatch_forward(x, routing)}; });
                     }});
    cases.push_back({.op = "moe_dispatch",
                     .pass = "backward",
                     .shape = concatenate(shape),
                     .bytes = 2 * array,
                     .make = [&tower, shape](DType dtype) {
                       const Tensor drows = bench_normal(shape, dtype);
                       const Routing routing = bench_routing(tower);
                       return BenchCall([=] { return Tensors{moe_dispatch_backward(routing, drows)}; });
                     }});
  }
  return cases;
}

}  // namespace limoe::bench
