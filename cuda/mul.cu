#include "cuda/elementwise.cuh"
#include "cuda/mul.h"

namespace limoe::cuda {

// Lanes stride over packs of 16 bytes, then over what is left.
template <class T>
__global__ void mul_forward_kernel(const T* a, const T* b, T* y, int64_t packs, int64_t count) {
  for_each_element(
      y, packs, count, [=](float a, float b) { return a * b; }, a, b);
}

template <class T>
void mul_forward(Stream stream, const T* a, const T* b, T* y, int64_t count) {
  if (count == 0) return;
  const int64_t packs = whole_packs<T>(count, a, b, y);
  launch<mul_forward_kernel<T>>(stream, elementwise_shape<T>(packs, count), a, b, y, packs, count);
}

template void mul_forward(Stream, const float*, const float*, float*, int64_t);
template void mul_forward(Stream, const bf16*, const bf16*, bf16*, int64_t);

}  // namespace limoe::cuda
