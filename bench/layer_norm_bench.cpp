#include "bench/support/bench_case.h"
#include "bench/support/shapes.h"
#include "ops/layer_norm.h"
#include "tensor/error.h"

namespace limoe::bench {

std::vector<BenchCase> layer_norm_bench_cases() {
  constexpr double kEpsilon = 1e-6;
  std::vector<BenchCase> cases;
  for (const TowerShape& tower : tower_shapes()) {
    const Shape shape{tower.tokens, tower.width}, row{tower.width};
    const double array = bytes_of(double(shape.element_count()));
    const auto scale = [row](DType dtype) { return bench_normal(row, dtype, 1); };
    cases.push_back({.op = "layer_norm",
                     .pass = "forward",
                     .shape = concatenate(shape),
                     .bytes = 2 * array,
                     .longest_sum = tower.width,
                     .make = [=](DType dtype) {
                       const Tensor x = bench_normal(shape, dtype), bias = bench_normal(row, dtype, 2);
                       const Tensor s = scale(dtype);
                       return BenchCall([=] { return Tensors{layer_norm_forward(x, s, bias, kEpsilon).y}; });
                     }});
    cases.push_back({.op = "layer_norm",
                     .pass = "backward",
                     .shape = concatenate(shape),
                     .bytes = 3 * array,
                     .longest_sum = tower.tokens,
                     .make = [=](DType dtype) {
                       const Tensor x = bench_normal(shape, dtype), dy = bench_normal(shape, dtype, 3);
                       const Tensor s = scale(dtype), bias = bench_normal(row, dtype, 2);
                       const LayerNormOutput out = layer_norm_forward(x, s, bias, kEpsilon);
                       return BenchCall([=] {
                         const LayerNormGradients d = layer_norm_backward(x, s, out.mean, out.rstd, dy);
                         return Tensors{d.dx, d.dscale, d.dbias};
                       });
                     }});
  }
  return cases;
}

}  // namespace limoe::bench
