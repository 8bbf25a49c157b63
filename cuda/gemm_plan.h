// How a product is cut into blocks, from its sizes alone.
#pragma once

#include <cstdint>

namespace limoe::cuda {

struct GemmShape {
  int64_t m, n, k;
  int64_t batch = 1;
};

// What a block makes of C: 64 x 64; 128 x 128; or 128 x 256 by the warpgroups of a Hopper, in bf16 (f32 takes
// large for it). Automatic is one of these, by the sizes and by what the device has.
enum class GemmTile { automatic, small, large, warpgroup };

struct TileSize {
  int64_t rows, columns;
};
TileSize size_of(GemmTile tile);  // of all but automatic

struct GemmPlan {
  GemmTile tile = GemmTile::small;
  int64_t pieces = 1;    // of k
  int64_t piece_length;  // of k, a multiple of kGemmStep
};

inline constexpr int kSmallTile = 64, kLargeTile = 128;
inline constexpr int kGemmStep = 64;  // k is cut at multiples of this

// The largest tile that C has enough of to give half of an H100 something to do, k cut into pieces or, with k
// = 0, not.
GemmTile best_tile(GemmShape shape);

// `asked`, or the best for C where that is automatic. Throws CudaError for warpgroups where there are none.
GemmTile chosen_tile(GemmTile asked, GemmShape c);

GemmPlan plan_gemm(GemmShape shape, GemmTile tile = GemmTile::automatic);

// Floats that gemm() needs beside its output: one copy of C a piece, or none.
int64_t gemm_workspace(GemmShape shape, GemmTile tile = GemmTile::automatic);

}  // namespace limoe::cuda
