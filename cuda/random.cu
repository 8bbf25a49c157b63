#include "cuda/elementwise.cuh"
#include "cuda/random.h"

namespace limoe::cuda {

// Lanes stride over elements.
template <class T>
__global__ void draw_normal_kernel(T* to, int64_t count, NormalDraws draws) {
  for (int64_t i = first_item(); i < count; i += item_stride())
    store(to + i,
          float(draws.mean + draws.deviation * double(random_normal(draws.seed, draws.stream, uint64_t(i)))));
}

template <class T>
void draw_normal(Stream stream, T* to, int64_t count, const NormalDraws& draws) {
  if (count == 0) return;
  launch<draw_normal_kernel<T>>(stream, elementwise_shape(count), to, count, draws);
}

template void draw_normal(Stream, float*, int64_t, const NormalDraws&);
template void draw_normal(Stream, bf16*, int64_t, const NormalDraws&);

}  // namespace limoe::cuda
