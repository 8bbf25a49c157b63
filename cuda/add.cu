#include "cuda/add.h"
#include "cuda/elementwise.cuh"

namespace limoe::cuda {

// Lanes stride over packs of 16 bytes, then over what is left.
template <class T>
__global__ void add_forward_kernel(const T* a, const T* b, T* y, int64_t packs, int64_t count) {
  for_each_element(
      y, packs, count, [=](float a, float b) { return a + b; }, a, b);
}

template <class T>
void add_forward(Stream stream, const T* a, const T* b, T* y, int64_t count) {
  if (count == 0) return;
  const int64_t packs = whole_packs<T>(count, a, b, y);
  launch<add_forward_kernel<T>>(stream, elementwise_shape<T>(packs, count), a, b, y, packs, count);
}

template void add_forward(Stream, const float*, const float*, float*, int64_t);
template void add_forward(Stream, const bf16*, const bf16*, bf16*, int64_t);

}  // namespace limoe::cuda
