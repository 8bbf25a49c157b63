// Where cases put their tensors, and how large they are: the same table serves the CPU, a GPU, and a dry run
// in the simulator.
//
// Read by all_bench_cases() and by a case's make(): set it before both.
#pragma once

#include "tensor/tensor.h"

namespace limoe::bench {

enum class BenchSize { laptop, gpu, tiny };

struct BenchPlace {
  Device device = {};
  BenchSize size = BenchSize::laptop;
};

const BenchPlace& bench_place();

// Another place to the end of the scope.
class BenchPlaceScope {
 public:
  explicit BenchPlaceScope(const BenchPlace& place);
  ~BenchPlaceScope();
  BenchPlaceScope(const BenchPlaceScope&) = delete;
  BenchPlaceScope& operator=(const BenchPlaceScope&) = delete;

 private:
  const BenchPlace outer_;
};

Tensor on_bench_device(const Tensor& x);

template <class T>
T by_size(const T& laptop, const T& gpu, const T& tiny) {
  const BenchSize size = bench_place().size;
  return size == BenchSize::laptop ? laptop : size == BenchSize::gpu ? gpu : tiny;
}

}  // namespace limoe::bench
