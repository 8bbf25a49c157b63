// What rungs 3 and 4 share: the tile of a block, and how a lane multiplies.
#pragma once

#include "cuda/packed.cuh"

namespace limoe::ladder {

inline constexpr int kTile = 64, kStep = 16, kQuad = 4, kLanesAcross = kTile / kQuad;
inline constexpr int kLanes = kLanesAcross * kLanesAcross;
inline constexpr int kPitch = kTile + 4;  // of a panel [k, x]: a column of A lands in different banks
inline constexpr int kPanel = kStep * kPitch;

// 4 x 4 values of a lane: of_a and of_b point at the lane's first row and column in panels [k, x]. Eight
// reads as two of 16 bytes serve 16 multiplications.
__device__ inline void multiply_panels(const float* of_a, const float* of_b, float (&sums)[kQuad][kQuad]) {
#pragma unroll
  for (int k = 0; k < kStep; ++k) {
    const cuda::Packed<float> rows = cuda::load_packed(of_a + k * kPitch);
    const cuda::Packed<float> columns = cuda::load_packed(of_b + k * kPitch);
#pragma unroll
    for (int i = 0; i < kQuad; ++i)
#pragma unroll
      for (int j = 0; j < kQuad; ++j) sums[i][j] += rows[i] * columns[j];
  }
}

__device__ inline void write_quads(float* c, int row, int column, int m, int n,
                                   const float (&sums)[kQuad][kQuad]) {
  for (int i = 0; i < kQuad; ++i)
    for (int j = 0; j < kQuad; ++j)
      if (row + i < m && column + j < n) c[int64_t(row + i) * n + column + j] = sums[i][j];
}

}  // namespace limoe::ladder
