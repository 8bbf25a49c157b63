#include "cuda/gemm_plan.h"

#include <algorithm>

#include "cuda/launch.h"

namespace limoe::cuda {
namespace {

// Twice the 132 multiprocessors of an H100 or H200. A constant, not the device's own number, so that every
// device adds in the same order.
constexpr int64_t kWantedBlocks = 264;
// Pieces of k shorter than this cost more in the second kernel than they gain by filling the chip.
constexpr int64_t kLeastPiece = 512;
// Where the chip is full already, longer pieces even out the end of the last wave of blocks.
constexpr int64_t kLeastPieceOfWaves = 4096, kWantedWaves = 4;
constexpr int64_t kMostPieces = 64;

int64_t tile_count(GemmShape shape, int64_t tile) {
  return blocks_for(shape.m, tile) * blocks_for(shape.n, tile) * shape.batch;
}

int64_t piece_count(GemmShape shape, int64_t tile) {
  const int64_t tiles = std::max<int64_t>(tile_count(shape, tile), 1);
  const int64_t to_fill = std::min(kWantedBlocks / tiles, shape.k / kLeastPiece);
  const int64_t to_even = std::min(kWantedWaves * kWantedBlocks / tiles, shape.k / kLeastPieceOfWaves);
  return std::clamp<int64_t>(std::max(to_fill, to_even), 1, kMostPieces);
}

}  // namespace

GemmPlan plan_gemm(GemmShape shape, GemmTile tile) {
  GemmPlan plan;
  // Large tiles read each operand half as often, but must be enough for half of the chip.
  plan.large = tile == GemmTile::large ||
               (tile == GemmTile::automatic && std::min(shape.m, shape.n) > kSmallTile &&
                tile_count(shape, kLargeTile) * piece_count(shape, kLargeTile) >= kWantedBlocks / 4);
  const int64_t steps = blocks_for(shape.k, kGemmStep);
  const int64_t steps_each =
      std::max<int64_t>(blocks_for(steps, piece_count(shape, plan.large ? kLargeTile : kSmallTile)), 1);
  plan.piece_length = steps_each * kGemmStep;
  plan.pieces = std::max<int64_t>(blocks_for(steps, steps_each), 1);
  return plan;
}

int64_t gemm_workspace(GemmShape shape, GemmTile tile) {
  const GemmPlan plan = plan_gemm(shape, tile);
  return plan.pieces == 1 ? 0 : plan.pieces * shape.batch * shape.m * shape.n;
}

}  // namespace limoe::cuda
