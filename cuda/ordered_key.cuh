// Floats as unsigned integers in the same order: what sorting and choosing the largest compare.
//
//   a < b  <=>  ordered_key(a) < ordered_key(b),   -0 and 0 alike,   NaN above everything
//
// The bits of a positive float grow with it; those of a negative one shrink, so they are turned round.
#pragma once

#include "cuda/device.cuh"

namespace limoe::cuda {

inline constexpr uint32_t kNanKey = 0xffffffffu;

__device__ inline uint32_t ordered_key(float x) {
  if (x != x) return kNanKey;
  const uint32_t bits = __float_as_uint(x == 0.0f ? 0.0f : x);
  return bits >> 31 ? ~bits : bits | 0x80000000u;
}

// One number that orders by value, and where values are equal the lower index above the higher. Never 0.
__device__ inline uint64_t ranked(float x, int index) {
  return uint64_t(ordered_key(x)) << 32 | (0xffffffffu - uint32_t(index));
}
__device__ inline int index_of_ranked(uint64_t rank) {
  return int(0xffffffffu - uint32_t(rank));
}

}  // namespace limoe::cuda
