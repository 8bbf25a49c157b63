// The MLP of a block, forward and backward: the dense twin of bench/moe_layer_bench.cpp at equal active FLOP.
#include "bench/support/bench_case.h"
#include "bench/support/layer_step.h"
#include "bench/support/shapes.h"
#include "models/nn/layers.h"
#include "tensor/error.h"

namespace limoe::bench {

std::vector<BenchCase> mlp_bench_cases() {
  std::vector<BenchCase> cases;
  for (const TowerShape& tower : tower_shapes()) {
    const int64_t n = tower.tokens, d = tower.width, m = tower.mlp_width;
    const std::vector<ParameterSpec> specs{
        {.name = "mlp.up.kernel", .shape = {d, m}, .init = Init::xavier_uniform(d, m)},
        {.name = "mlp.up.bias", .shape = {m}, .init = Init::normal(0.1)},
        {.name = "mlp.down.kernel", .shape = {m, d}, .init = Init::xavier_uniform(m, d)},
        {.name = "mlp.down.bias", .shape = {d}, .init = Init::normal(0.1)}};
    cases.push_back({.op = "mlp",
                     .pass = "step",
                     .shape = concatenate(Shape{n, d}, ", hidden ", m),
                     .flop = 12.0 * double(n) * double(d) * double(m),
                     .longest_sum = n + d + m,  // one after another
                     .cpu_alone = true,
                     .make = [=](DType dtype) {
                       const auto arena = std::make_shared<ParameterArena>(specs, 1, dtype);
                       const Mlp mlp(*arena, "mlp", MatmulPrecision::fp32);
                       return layer_step(arena, bench_normal({n, d}, dtype), bench_normal({n, d}, dtype, 1),
                                         [mlp](const Var& x) { return mlp(x); });
                     }});
  }
  return cases;
}

}  // namespace limoe::bench
