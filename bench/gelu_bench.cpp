#include "bench/support/bench_case.h"
#include "bench/support/shapes.h"
#include "ops/gelu.h"
#include "tensor/error.h"

namespace limoe::bench {
namespace {

// Where x is about -4 the gradient is the small difference of numbers near 1, multiplied by ten.
constexpr int64_t kTail = 1024;

}  // namespace

std::vector<BenchCase> gelu_bench_cases() {
  std::vector<BenchCase> cases;
  for (const TowerShape& tower : tower_shapes()) {
    const Shape shape{tower.tokens, tower.mlp_width};
    const double bytes = bytes_of(double(shape.element_count()));
    cases.push_back({.op = "gelu",
                     .pass = "forward",
                     .shape = concatenate(shape),
                     .bytes = 2 * bytes,
                     .make = [shape](DType dtype) {
                       const Tensor x = bench_normal(shape, dtype);
                       return BenchCall([x] { return Tensors{gelu_forward(x)}; });
                     }});
    cases.push_back({.op = "gelu",
                     .pass = "backward",
                     .shape = concatenate(shape),
                     .bytes = 3 * bytes,
                     .longest_sum = kTail,
                     .make = [shape](DType dtype) {
                       const Tensor x = bench_normal(shape, dtype), dy = bench_normal(shape, dtype, 1);
                       return BenchCall([x, dy] { return Tensors{gelu_backward(x, dy)}; });
                     }});
  }
  return cases;
}

}  // namespace limoe::bench
