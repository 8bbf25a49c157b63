// The loop of kernels that treat every element alike: lanes stride over the elements, 16 bytes at a time
// where the arrays allow it.
//
//   for_each_element(y, packs, count, [](float a, float b) { return a + b; }, a, b);
#pragma once

#include "cuda/device.cuh"
#include "cuda/packed.cuh"

namespace limoe::cuda {

inline constexpr int kElementwiseLanes = 256;
inline constexpr int64_t kMostElementwiseBlocks = 8192;  // lanes stride, so a large array needs no more

inline LaunchShape elementwise_shape(int64_t items) {
  const int64_t blocks = blocks_for(items, kElementwiseLanes);
  return {.grid = {blocks < kMostElementwiseBlocks ? blocks : kMostElementwiseBlocks},
          .block = kElementwiseLanes};
}

// The launch for `packs` packs of T and what is left of `count` elements behind them.
template <class T>
LaunchShape elementwise_shape(int64_t packs, int64_t count) {
  const int64_t rest = count - packs * Packed<T>::kCount;
  return elementwise_shape(packs > rest ? packs : rest);
}

__device__ inline int64_t first_item() {
  return int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
}
__device__ inline int64_t item_stride() {
  return int64_t(gridDim.x) * blockDim.x;
}

template <class T, class Function, class... Packs>
__device__ inline Packed<T> map_packs(const Function& function, const Packs&... in) {
  Packed<T> out;
  for (int i = 0; i < Packed<T>::kCount; ++i) out.set(i, function(in[i]...));
  return out;
}

// y[i] = function(x[i]...), in float. The first `packs` packs lie at multiples of 16 bytes in all arrays.
template <class T, class Function, class... Inputs>
__device__ inline void for_each_element(T* y, int64_t packs, int64_t count, const Function& function,
                                        const Inputs*... x) {
  for (int64_t i = first_item(); i < packs; i += item_stride()) {
    const int64_t at = i * Packed<T>::kCount;
    store_packed(y + at, map_packs<T>(function, load_packed(x + at)...));
  }
  for (int64_t i = packs * Packed<T>::kCount + first_item(); i < count; i += item_stride())
    store(y + i, function(load(x + i)...));
}

}  // namespace limoe::cuda
