// Prefix sums of integers over a warp and over a block: what every lane's predecessors add up to.
//
// Every lane of the warp (of the block) takes part. Formula: five steps of value += the value of the lane
// 1, 2, 4, 8, 16 places before, if there is one (Hillis and Steele, 1986). Integers: exact in any order.
#pragma once

#include "cuda/device.cuh"

namespace limoe::cuda {

__device__ inline int warp_inclusive_sum(int value) {
  for (int distance = 1; distance < kWarpSize; distance *= 2) {
    const int before = __shfl_up_sync(kAllLanes, value, unsigned(distance));
    if (lane_index() >= distance) value += before;
  }
  return value;
}

struct PrefixSum {
  int before = 0;  // the sum over the lanes before this one
  int total = 0;   // over all lanes of the block
};

inline constexpr int kPrefixScratch = kWarpSize;  // ints of shared memory that block_prefix_sum() works in

// Ends with a barrier, so `scratch` may be used again at once.
__device__ inline PrefixSum block_prefix_sum(int value, int* scratch) {
  const int warps = int(blockDim.x * blockDim.y) / kWarpSize;
  const int inclusive = warp_inclusive_sum(value);
  if (lane_index() == kWarpSize - 1) scratch[warp_index()] = inclusive;
  __syncthreads();
  // Every warp adds up the warps by itself: that spares a barrier.
  const int warp_sums = warp_inclusive_sum(lane_index() < warps ? scratch[lane_index()] : 0);
  const int own_end = __shfl_sync(kAllLanes, warp_sums, warp_index());
  const int total = __shfl_sync(kAllLanes, warp_sums, kWarpSize - 1);
  const int own_sum = __shfl_sync(kAllLanes, inclusive, kWarpSize - 1);
  __syncthreads();
  return {own_end - own_sum + inclusive - value, total};
}

}  // namespace limoe::cuda
