#include "bench/support/bench_case.h"
#include "bench/support/shapes.h"
#include "ops/mean_pool.h"
#include "tensor/error.h"

namespace limoe::bench {

std::vector<BenchCase> mean_pool_bench_cases() {
  std::vector<BenchCase> cases;
  for (const TowerShape& tower : tower_shapes()) {
    const Shape shape{tower.tokens, tower.width};
    const double array = bytes_of(double(shape.element_count()));
    cases.push_back({.op = "mean_pool",
                     .pass = "forward",
                     .shape = concatenate(shape),
                     .bytes = array,
                     .longest_sum = 256,
                     .make = [&tower, shape](DType dtype) {
                       const Tensor x = bench_normal(shape, dtype);
                       return BenchCall(
                           [&tower, x] { return Tensors{mean_pool_forward(x, Tensor(), tower.sequences)}; });
                     }});
    cases.push_back({.op = "mean_pool",
                     .pass = "backward",
                     .shape = concatenate(shape),
                     .bytes = array,
                     .make = [&tower](DType dtype) {
                       const Tensor dy = bench_normal({2 * tower.pairs, tower.width}, dtype, 1);
                       return BenchCall([&tower, dy] {
                         return Tensors{mean_pool_backward(Tensor(), tower.sequences, dy)};
                       });
                     }});
  }
  return cases;
}

}  // namespace limoe::bench
