#include "cuda/elementwise.cuh"
#include "cuda/gelu.h"
#include "cuda/gelu_math.cuh"

namespace limoe::cuda {

// Lanes stride over packs of 16 bytes, or over single elements.
template <class T>
__global__ void gelu_forward_packed_kernel(const T* x, T* y, int64_t packs) {
  for (int64_t i = first_item(); i < packs; i += item_stride()) {
    Packed<T> pack = load_packed(x + i * Packed<T>::kCount);
    for (int j = 0; j < Packed<T>::kCount; ++j) pack.set(j, gelu(pack[j]));
    store_packed(y + i * Packed<T>::kCount, pack);
  }
}

template <class T>
__global__ void gelu_forward_kernel(const T* x, T* y, int64_t count) {
  for (int64_t i = first_item(); i < count; i += item_stride()) store(y + i, gelu(load(x + i)));
}

template <class T>
__global__ void gelu_backward_packed_kernel(const T* x, const T* dy, T* dx, int64_t packs) {
  for (int64_t i = first_item(); i < packs; i += item_stride()) {
    const int64_t at = i * Packed<T>::kCount;
    Packed<T> pack = load_packed(x + at);
    const Packed<T> gradient = load_packed(dy + at);
    for (int j = 0; j < Packed<T>::kCount; ++j) pack.set(j, gradient[j] * gelu_slope(pack[j]));
    store_packed(dx + at, pack);
  }
}

template <class T>
__global__ void gelu_backward_kernel(const T* x, const T* dy, T* dx, int64_t count) {
  for (int64_t i = first_item(); i < count; i += item_stride())
    store(dx + i, load(dy + i) * gelu_slope(load(x + i)));
}

template <class T>
void gelu_forward(Stream stream, const T* x, T* y, int64_t count) {
  if (count == 0) return;
  if (can_pack<T>(count, x, y)) {
    const int64_t packs = count / Packed<T>::kCount;
    launch<gelu_forward_packed_kernel<T>>(stream, elementwise_shape(packs), x, y, packs);
  } else {
    launch<gelu_forward_kernel<T>>(stream, elementwise_shape(count), x, y, count);
  }
}

template <class T>
void gelu_backward(Stream stream, const T* x, const T* dy, T* dx, int64_t count) {
  if (count == 0) return;
  if (can_pack<T>(count, x, dy, dx)) {
    const int64_t packs = count / Packed<T>::kCount;
    launch<gelu_backward_packed_kernel<T>>(stream, elementwise_shape(packs), x, dy, dx, packs);
  } else {
    launch<gelu_backward_kernel<T>>(stream, elementwise_shape(count), x, dy, dx, count);
  }
}

template void gelu_forward(Stream, const float*, float*, int64_t);
template void gelu_forward(Stream, const bf16*, bf16*, int64_t);
template void gelu_backward(Stream, const float*, const float*, float*, int64_t);
template void gelu_backward(Stream, const bf16*, const bf16*, bf16*, int64_t);

}  // namespace limoe::cuda
