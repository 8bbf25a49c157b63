#include "cuda/elementwise.cuh"
#include "cuda/exp.h"

namespace limoe::cuda {

// Lanes stride over packs of 16 bytes, then over what is left.
template <class T>
__global__ void exp_forward_kernel(const T* x, T* y, int64_t packs, int64_t count) {
  for_each_element(
      y, packs, count, [=](float x) { return expf(x); }, x);
}

template <class T>
void exp_forward(Stream stream, const T* x, T* y, int64_t count) {
  if (count == 0) return;
  const int64_t packs = whole_packs<T>(count, x, y);
  launch<exp_forward_kernel<T>>(stream, elementwise_shape<T>(packs, count), x, y, packs, count);
}

template void exp_forward(Stream, const float*, float*, int64_t);
template void exp_forward(Stream, const bf16*, bf16*, int64_t);

}  // namespace limoe::cuda
