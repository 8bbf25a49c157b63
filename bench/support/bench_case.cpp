#include "bench/support/bench_case.h"

#include "bench/support/bench_place.h"
#include "tensor/factory.h"

namespace limoe::bench {

Tensor bench_normal(const Shape& shape, DType dtype, uint64_t stream, double deviation) {
  constexpr uint64_t kSeed = 20221;
  return on_bench_device(to_dtype(random_normal(shape, 0, deviation, kSeed, stream), dtype));
}

}  // namespace limoe::bench
