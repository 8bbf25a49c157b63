#include "bench/support/bench_case.h"
#include "bench/support/routing.h"
#include "bench/support/shapes.h"
#include "ops/moe_combine.h"
#include "tensor/error.h"

namespace limoe::bench {

std::vector<BenchCase> moe_combine_bench_cases() {
  std::vector<BenchCase> cases;
  for (const TowerShape& tower : tower_shapes()) {
    const Shape shape{tower.tokens, tower.width}, gate_shape{tower.tokens, 1};
    const double array = bytes_of(double(shape.element_count()));
    cases.push_back({.op = "moe_combine",
                     .pass = "forward",
                     .shape = concatenate(shape),
                     .bytes = 2 * array,
                     .make = [&tower, shape, gate_shape](DType dtype) {
                       const Tensor rows = bench_normal(shape, dtype),
                                    gates = bench_normal(gate_shape, dtype, 1);
                       const Routing routing = bench_routing(tower);
                       return BenchCall([=] { return Tensors{moe_combine_forward(rows, gates, routing)}; });
                     }});
    cases.push_back(
        {.op = "moe_combine",
         .pass = "backward rows",
         .shape = concatenate(shape),
         .bytes = 2 * array,
         .make = [&tower, shape, gate_shape](DType dtype) {
           const Tensor dy = bench_normal(shape, dtype, 2), gates = bench_normal(gate_shape, dtype, 1);
           const Routing routing = bench_routing(tower);
           return BenchCall([=] { return Tensors{moe_combine_backward_rows(gates, routing, dy)}; });
         }});
    cases.push_back({.op = "moe_combine",
                     .pass = "backward gates",
                     .shape = concatenate(shape),
                     .bytes = 2 * array,
                     .longest_sum = tower.width,
                     .make = [&tower, shape](DType dtype) {
                       const Tensor rows = bench_normal(shape, dtype), dy = bench_normal(shape, dtype, 2);
                       const Routing routing = bench_routing(tower);
                       return BenchCall(
                           [=] { return Tensors{moe_combine_backward_gates(rows, routing, dy, dtype)}; });
                     }});
  }
  return cases;
}

}  // namespace limoe::bench
