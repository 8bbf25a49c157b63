// (std / mean)^2 of n values and its gradient, by one warp; formulas in ops/squared_variation.h.
#pragma once

#include "cuda/reduce.cuh"

namespace limoe::cuda {

// Of sums[0..n) / divisor; gradient[i] = that by value i, unless it is null. A division and not a factor: no
// fused multiply-add, so that a single value varies by exactly 0.
__device__ inline float squared_variation(const float* sums, int n, float divisor, float* gradient) {
  float mean = 0, variance = 0;
  for (int i = lane_index(); i < n; i += kWarpSize) mean += sums[i] / divisor;
  mean = warp_reduce<Sum>(mean) / float(n);
  for (int i = lane_index(); i < n; i += kWarpSize) {
    const float away = sums[i] / divisor - mean;
    variance += away * away;
  }
  variance = warp_reduce<Sum>(variance) / float(n);
  if (gradient)
    for (int i = lane_index(); i < n; i += kWarpSize)
      gradient[i] = 2.0f * (sums[i] / divisor - mean - variance / mean) / (float(n) * mean * mean);
  return variance / (mean * mean);
}

}  // namespace limoe::cuda
