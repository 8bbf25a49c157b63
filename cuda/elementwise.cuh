// The loop of kernels that treat every element alike: lanes stride over the elements, 16 bytes at a time
// where the arrays allow it.
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

__device__ inline int64_t first_item() {
  return int64_t(blockIdx.x) * blockDim.x + threadIdx.x;
}
__device__ inline int64_t item_stride() {
  return int64_t(gridDim.x) * blockDim.x;
}

}  // namespace limoe::cuda
