#include "bench/support/bench_case.h"

#include "tensor/factory.h"

namespace limoe::bench {

Tensor bench_normal(const Shape& shape, DType dtype, uint64_t stream, double deviation) {
  constexpr uint64_t kSeed = 20221;
  return to_dtype(random_normal(shape, 0, deviation, kSeed, stream), dtype);
}

}  // namespace limoe::bench
