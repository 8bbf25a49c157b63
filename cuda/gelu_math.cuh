// GELU and its slope at one point, for kernels that have the value in a register; the formula is in
// ops/gelu.h.
#pragma once

#include "cuda/device.cuh"

namespace limoe::cuda {

inline constexpr float kSqrtTwoOverPi = 0.79788456080286535588f;
inline constexpr float kGeluCubic = 0.044715f;

__device__ inline float gelu(float x) {
  return 0.5f * x * (1.0f + tanhf(kSqrtTwoOverPi * x * (1.0f + kGeluCubic * x * x)));
}

__device__ inline float gelu_slope(float x) {
  const float t = tanhf(kSqrtTwoOverPi * x * (1.0f + kGeluCubic * x * x));
  const float du = kSqrtTwoOverPi * (1.0f + 3.0f * kGeluCubic * x * x);
  // At large |x| the product is 0 times something that may overflow; t is +-1 there and the limit is 0.
  const float bend = 1.0f - t * t;
  return 0.5f * (1.0f + t) + (bend == 0.0f ? 0.0f : 0.5f * x * bend * du);
}

}  // namespace limoe::cuda
