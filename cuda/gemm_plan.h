// How a product is cut into blocks, from its sizes alone.
#pragma once

#include <cstdint>

namespace limoe::cuda {

struct GemmShape {
  int64_t m, n, k;
  int64_t batch = 1;
};

enum class GemmTile { automatic, small, large };  // of C: 64 x 64 or 128 x 128

struct GemmPlan {
  bool large = false;
  int64_t pieces = 1;    // of k
  int64_t piece_length;  // of k, a multiple of kGemmStep
};

inline constexpr int kSmallTile = 64, kLargeTile = 128;
inline constexpr int kGemmStep = 32;  // k is cut at multiples of this

GemmPlan plan_gemm(GemmShape shape, GemmTile tile = GemmTile::automatic);

// Floats that gemm() needs beside its output: one copy of C a piece, or none.
int64_t gemm_workspace(GemmShape shape, GemmTile tile = GemmTile::automatic);

}  // namespace limoe::cuda
