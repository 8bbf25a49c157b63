// A mixture of experts, forward and backward, router and routing included. One expert a token and no limit,
// so that it does the products of bench/mlp_bench.cpp and the router's.
#include "bench/support/bench_case.h"
#include "bench/support/layer_step.h"
#include "bench/support/routing.h"
#include "bench/support/shapes.h"
#include "models/nn/moe.h"
#include "tensor/error.h"
#include "tensor/factory.h"

namespace limoe::bench {
namespace {

std::vector<ParameterSpec> moe_specs(int64_t d, int64_t m, int64_t e) {
  return {{.name = "moe.router.kernel", .shape = {d, e}, .init = Init::xavier_uniform(d, e)},
          {.name = "moe.up.kernel", .shape = {e, d, m}, .init = Init::xavier_uniform(d, m)},
          {.name = "moe.up.bias", .shape = {e, m}, .init = Init::normal(0.1)},
          {.name = "moe.down.kernel", .shape = {e, m, d}, .init = Init::xavier_uniform(m, d)},
          {.name = "moe.down.bias", .shape = {e, d}, .init = Init::normal(0.1)}};
}

MoeInputs moe_inputs(int64_t tokens) {
  MoeInputs inputs;
  inputs.group_of = zeros({tokens}, DType::i32);
  inputs.route.capacity_factor = 0;
  return inputs;
}

// In f64 the routing is that of f32: a rounding error must not send a token elsewhere.
BenchCall moe_call(const TowerShape& tower, DType dtype) {
  const int64_t n = tower.tokens, d = tower.width;
  const std::vector<ParameterSpec> specs = moe_specs(d, tower.mlp_width, tower.experts);
  const auto arena = std::make_shared<ParameterArena>(specs, 1, dtype);
  const MoeLayer layer(*arena, "moe", MatmulPrecision::fp32);
  const Tensor x = bench_normal({n, d}, dtype), dy = bench_normal({n, d}, dtype, 1);
  const MoeInputs inputs = moe_inputs(n);
  if (dtype == DType::f32)
    return layer_step(arena, x, dy, [=](const Var& v) { return run_moe(layer, v, inputs).y; });
  const ParameterArena single(specs, 1);
  const auto routing = std::make_shared<Routing>(
      run_moe(MoeLayer(single, "moe", MatmulPrecision::fp32), Var(bench_normal({n, d}, DType::f32)), inputs)
          .routing);
  MoeInputs reusing = inputs;
  reusing.reuse = routing.get();
  return layer_step(arena, x, dy, [=, keep = routing](const Var& v) { return run_moe(layer, v, reusing).y; });
}

}  // namespace

std::vector<BenchCase> moe_layer_bench_cases() {
  std::vector<BenchCase> cases;
  for (const TowerShape& tower : tower_shapes()) {
    const int64_t n = tower.tokens, d = tower.width, m = tower.mlp_width, e = tower.experts;
    cases.push_back(
        {.op = "moe_layer",
         .pass = "step",
         .shape = concatenate(Shape{n, d}, ", ", e, " of hidden ", m),
         .flop = 12.0 * double(n) * double(d) * double(m) + 6.0 * double(n) * double(d) * double(e),
         .longest_sum = n + d + m,  // one after another
         .cpu_alone = true,
         .make = [&tower](DType dtype) { return moe_call(tower, dtype); }});
  }
  return cases;
}

}  // namespace limoe::bench
