#include "cuda/accumulate.h"
#include "cuda/elementwise.cuh"

namespace limoe::cuda {

template <class T>
__global__ void accumulate_kernel(T* sum, const T* addend, int64_t count) {
  for (int64_t i = first_item(); i < count; i += item_stride())
    store(sum + i, load(sum + i) + load(addend + i));
}

template <>
__global__ void accumulate_kernel(int32_t* sum, const int32_t* addend, int64_t count) {
  for (int64_t i = first_item(); i < count; i += item_stride()) sum[i] += addend[i];
}

template <class T>
void accumulate(Stream stream, T* sum, const T* addend, int64_t count) {
  if (count == 0) return;
  launch<accumulate_kernel<T>>(stream, elementwise_shape(count), sum, addend, count);
}

template void accumulate(Stream, float*, const float*, int64_t);
template void accumulate(Stream, bf16*, const bf16*, int64_t);
template void accumulate(Stream, int32_t*, const int32_t*, int64_t);

}  // namespace limoe::cuda
