#include "cuda/elementwise.cuh"
#include "cuda/scale.h"

namespace limoe::cuda {

// Lanes stride over packs of 16 bytes, then over what is left.
template <class T>
__global__ void scale_forward_kernel(const T* x, float factor, T* y, int64_t packs, int64_t count) {
  for_each_element(
      y, packs, count, [=](float x) { return factor * x; }, x);
}

template <class T>
void scale_forward(Stream stream, const T* x, float factor, T* y, int64_t count) {
  if (count == 0) return;
  const int64_t packs = whole_packs<T>(count, x, y);
  launch<scale_forward_kernel<T>>(stream, elementwise_shape<T>(packs, count), x, factor, y, packs, count);
}

template void scale_forward(Stream, const float*, float, float*, int64_t);
template void scale_forward(Stream, const bf16*, float, bf16*, int64_t);

}  // namespace limoe::cuda
