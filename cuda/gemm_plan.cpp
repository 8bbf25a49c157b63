#include "cuda/gemm_plan.h"

#include <algorithm>

#include "cuda/launch.h"
#include "cuda/runtime.h"
#include "tensor/error.h"

namespace limoe::cuda {
namespace {

// Of an H100 or H200. A constant, not the device's own number, so that every device adds in the same order.
constexpr int64_t kMultiprocessors = 132;
constexpr int64_t kWantedBlocks = 2 * kMultiprocessors;
// Pieces of k shorter than this cost more in the second kernel than they gain by filling the chip.
constexpr int64_t kLeastPiece = 512;
// Where the chip is full already, longer pieces even out the end of the last wave of blocks.
constexpr int64_t kLeastPieceOfWaves = 4096, kWantedWaves = 4;
constexpr int64_t kMostPieces = 64;

int64_t tile_count(GemmShape shape, GemmTile tile) {
  const TileSize size = size_of(tile);
  return blocks_for(shape.m, size.rows) * blocks_for(shape.n, size.columns) * shape.batch;
}

// Microseconds of a product by warpgroups, one block a multiprocessor, as an H100 took them: for 64 of k and
// for the end of a tile; and for a value of C that lies in the workspace, written and read.
double warpgroup_time(GemmShape shape, int64_t tiles, int64_t pieces) {
  constexpr double kStep = 0.77, kTile = 2, kPartial = 4e-6;
  const int64_t waves = blocks_for(tiles * pieces, kMultiprocessors);
  const int64_t steps = blocks_for(blocks_for(shape.k, kGemmStep), pieces);
  const double partials = pieces == 1 ? 0 : double(pieces * shape.batch * shape.m * shape.n);
  return double(waves) * (double(steps) * kStep + kTile) + partials * kPartial;
}

int64_t piece_count(GemmShape shape, GemmTile tile) {
  const int64_t tiles = std::max<int64_t>(tile_count(shape, tile), 1);
  if (tile == GemmTile::warpgroup) {
    int64_t best = 1;
    for (int64_t pieces = 2; pieces <= std::min(kMostPieces, shape.k / kLeastPiece); ++pieces)
      if (warpgroup_time(shape, tiles, pieces) < warpgroup_time(shape, tiles, best)) best = pieces;
    return best;
  }
  const int64_t to_fill = std::min(kWantedBlocks / tiles, shape.k / kLeastPiece);
  const int64_t to_even = std::min(kWantedWaves * kWantedBlocks / tiles, shape.k / kLeastPieceOfWaves);
  return std::clamp<int64_t>(std::max(to_fill, to_even), 1, kMostPieces);
}

}  // namespace

TileSize size_of(GemmTile tile) {
  switch (tile) {
    case GemmTile::warpgroup:
      return {128, 256};
    case GemmTile::large:
      return {kLargeTile, kLargeTile};
    default:
      return {kSmallTile, kSmallTile};
  }
}

GemmTile best_tile(GemmShape shape) {
  for (const GemmTile tile : {GemmTile::warpgroup, GemmTile::large}) {
    if (tile == GemmTile::warpgroup && !has_warpgroup_products()) continue;
    const TileSize size = size_of(tile);
    const bool fills_tiles = shape.m > size.rows / 2 && shape.n > size.columns / 2;
    if (fills_tiles && tile_count(shape, tile) * piece_count(shape, tile) >= kMultiprocessors / 2)
      return tile;
  }
  return GemmTile::small;
}

GemmTile chosen_tile(GemmTile asked, GemmShape c) {
  if (asked == GemmTile::warpgroup && !has_warpgroup_products())
    throw CudaError(
        "gemm: tiles of warpgroups were asked for; expected a Hopper and a program that holds code for "
        "sm_90a");
  return asked == GemmTile::automatic ? best_tile(c) : asked;
}

GemmPlan plan_gemm(GemmShape shape, GemmTile tile) {
  GemmPlan plan;
  plan.tile = chosen_tile(tile, shape);
  const int64_t steps = blocks_for(shape.k, kGemmStep);
  const int64_t steps_each = std::max<int64_t>(blocks_for(steps, piece_count(shape, plan.tile)), 1);
  plan.piece_length = steps_each * kGemmStep;
  plan.pieces = std::max<int64_t>(blocks_for(steps, steps_each), 1);
  return plan;
}

int64_t gemm_workspace(GemmShape shape, GemmTile tile) {
  const GemmPlan plan = plan_gemm(shape, tile);
  return plan.pieces == 1 ? 0 : plan.pieces * shape.batch * shape.m * shape.n;
}

}  // namespace limoe::cuda
