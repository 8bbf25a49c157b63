#include "bench/support/bench_case.h"
#include "bench/support/shapes.h"
#include "ops/patchify.h"
#include "tensor/error.h"

namespace limoe::bench {

std::vector<BenchCase> patchify_bench_cases() {
  std::vector<BenchCase> cases;
  for (const TowerShape& tower : tower_shapes()) {
    const Shape shape{tower.pairs, tower.image_size, tower.image_size, 3};
    cases.push_back({.op = "patchify",
                     .pass = "forward",
                     .shape = concatenate(shape, " by ", tower.patch_size),
                     .bytes = 2 * bytes_of(double(shape.element_count())),
                     .make = [shape, patch = tower.patch_size](DType dtype) {
                       const Tensor images = bench_normal(shape, dtype);
                       return BenchCall([=] { return Tensors{patchify_forward(images, patch)}; });
                     }});
  }
  return cases;
}

}  // namespace limoe::bench
