// Sums and maxima over the lanes of a warp and of a block.
//
// Every lane of the warp (of the block) takes part and every lane gets the result. The order of additions is
// fixed, so the bits are the same in every run. Formula: a butterfly, log2(32) = 5 steps of value =
// combine(value, the value of the lane whose index differs in one bit); floating addition and maximum
// commute, so all lanes hold the same bits.
#pragma once

#include "cuda/device.cuh"

namespace limoe::cuda {

struct Sum {
  static __device__ float identity() { return 0.0f; }
  static __device__ float combine(float a, float b) { return a + b; }
};

// NaN wins, so that it shows in the result.
struct Max {
  static __device__ float identity() { return -INFINITY; }
  static __device__ float combine(float a, float b) { return a > b || a != a ? a : b; }
};

// Over each group of `lanes` neighbours, a power of two; all groups of the warp at once.
template <class Operation>
__device__ inline float group_reduce(float value, int lanes) {
  for (int distance = lanes / 2; distance > 0; distance /= 2)
    value = Operation::combine(value, __shfl_xor_sync(kAllLanes, value, distance));
  return value;
}

template <class Operation>
__device__ inline float warp_reduce(float value) {
  return group_reduce<Operation>(value, kWarpSize);
}

// All warps of a block. Ends with a barrier, so it may be called again at once.
template <class Operation>
__device__ inline float block_reduce(float value) {
  __shared__ float of_warp[kMostLanes / kWarpSize];
  value = warp_reduce<Operation>(value);
  if (lane_index() == 0) of_warp[warp_index()] = value;
  __syncthreads();
  const int warps = int(blockDim.x * blockDim.y) / kWarpSize;
  value = lane_index() < warps ? of_warp[lane_index()] : Operation::identity();
  value = warp_reduce<Operation>(value);
  __syncthreads();
  return value;
}

}  // namespace limoe::cuda
