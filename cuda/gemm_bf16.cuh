// A tile of C = op(A) op(B) from bf16 on tensor cores, sums in f32.
//
// Panels of 32 of k lie in shared memory as they lie in global memory, four of each operand; ldmatrix
// transposes on the way to the registers where it has to. Four warps make a quarter of the tile each: in the
// large tile 64 x 64, which reads 4 KiB of shared memory for 65,536 products. Rows are 16 bytes longer than
// their contents, so that the 8 rows of a matrix lie in different banks. Values of C pass through shared
// memory, to be stored as whole rows.
#pragma once

#include "cuda/gemm_tile.cuh"

namespace limoe::cuda {

template <int Tile>
struct Bf16Tile {
  using Value = bf16;
  static constexpr bool kOneAfterAnother = false;
  static constexpr int kRows = Tile, kColumns = Tile, kStep = 32, kBuffers = 4, kPad = 8, kChunk = 8;
  static constexpr int kWarpsAcross = 2, kLanes = 128, kBlocks = Tile == 128 ? 2 : 4;
  static constexpr int kWarpTile = Tile / kWarpsAcross;
  static constexpr int kRowParts = kWarpTile / 16,
                       kColumnPairs = kWarpTile / 16;  // of 16 rows, 2 x 8 columns
  // As [x][k]: Tile rows of kStep; as [k][x]: kStep rows of Tile. The first is the larger.
  static constexpr int kPanel = Tile * (kStep + kPad);
  static constexpr int kSumPitch = Tile + 8;
  static constexpr size_t kSharedBytes = 2 * kBuffers * kPanel * sizeof(bf16);
  static_assert(Tile * kSumPitch * sizeof(float) <= kSharedBytes, "C passes through the panels' memory");
  static_assert(kStep * (Tile + kPad) <= kPanel);

  struct Sums {
    float of[kRowParts][2 * kColumnPairs][4];
  };

  template <bool KOuter>
  static constexpr int kPitch = (KOuter ? Tile : kStep) + kPad;

  template <bool KOuter>
  static __device__ __forceinline__ void copy_panel(bf16* to, const TileOperand<bf16>& x, int k, int k_end) {
    constexpr int kInner = KOuter ? Tile : kStep, kOuter = KOuter ? kStep : Tile;
    const PanelPlace panel = panel_place<KOuter>(x, k, k_end);
#pragma unroll
    for (int i = int(threadIdx.x); i < kOuter * kInner / kChunk; i += kLanes) {
      const int outer = i / (kInner / kChunk), inner = i % (kInner / kChunk) * kChunk;
      copy_chunk(to + outer * kPitch<KOuter> + inner, x, panel, outer, inner);
    }
  }

  // 16 x 16 of an operand, first x and k given. The four 8 x 8 matrices come in the order (x, k), (x + 8, k),
  // (x, k + 8), (x + 8, k + 8), or with the two in the middle exchanged.
  template <bool KOuter, bool KFirst>
  static __device__ __forceinline__ void read_part(const bf16* panel, int x, int k, unsigned (&r)[4]) {
    const int matrix = lane_index() / 8, line = lane_index() % 8;
    x += (KFirst ? matrix / 2 : matrix % 2) * 8;
    k += (KFirst ? matrix % 2 : matrix / 2) * 8;
    if constexpr (KOuter)
      load_matrices_transposed(r, panel + (k + line) * kPitch<KOuter> + x);
    else
      load_matrices(r, panel + (x + line) * kPitch<KOuter> + k);
  }

  template <bool TransposedA, bool TransposedB>
  static __device__ __forceinline__ void multiply(const bf16* a, const bf16* b, int row, int column,
                                                  Sums& sums) {
#pragma unroll
    for (int k = 0; k < kStep; k += 16) {
      unsigned rows[kRowParts][4], columns[2 * kColumnPairs][2];
#pragma unroll
      for (int i = 0; i < kRowParts; ++i) read_part<TransposedA, false>(a, row + 16 * i, k, rows[i]);
#pragma unroll
      for (int j = 0; j < kColumnPairs; ++j) {
        unsigned pair[4];
        read_part<!TransposedB, true>(b, column + 16 * j, k, pair);
        columns[2 * j][0] = pair[0], columns[2 * j][1] = pair[1];
        columns[2 * j + 1][0] = pair[2], columns[2 * j + 1][1] = pair[3];
      }
#pragma unroll
      for (int i = 0; i < kRowParts; ++i)
#pragma unroll
        for (int j = 0; j < 2 * kColumnPairs; ++j) multiply_add(sums.of[i][j], rows[i], columns[j]);
    }
  }

  // Two neighbours at a time from the lane that holds them, then eight at a time, row by row.
  template <class Output>
  static __device__ __forceinline__ void put_sums(float* shared, const TileWork<bf16>& work, int row,
                                                  int column, const Sums& sums, const Output& output) {
    __syncthreads();  // the panels have been read
    const int g = lane_index() / 4, t = lane_index() % 4;
#pragma unroll
    for (int i = 0; i < kRowParts; ++i)
#pragma unroll
      for (int j = 0; j < 2 * kColumnPairs; ++j)
#pragma unroll
        for (int half = 0; half < 2; ++half) {
          float* const to = shared + (row + 16 * i + 8 * half + g) * kSumPitch + column + 8 * j + 2 * t;
          to[0] = sums.of[i][j][2 * half];
          to[1] = sums.of[i][j][2 * half + 1];
        }
    __syncthreads();
    put_tile<Tile, Tile, kLanes, kSumPitch>(shared, work.a.first, work.b.first, output);
  }

  // All lanes of the block.
  template <bool TransposedA, bool TransposedB, class Output>
  static __device__ __forceinline__ void run(const TileWork<bf16>& work, const Output& output) {
    bf16* const shared = dynamic_shared<bf16>();
    const int row = warp_index() / kWarpsAcross * kWarpTile, column = warp_index() % kWarpsAcross * kWarpTile;
    Sums sums = {};
    pipeline<kBuffers>((work.k_end - work.k_begin + kStep - 1) / kStep,
                       [&](int step, int buffer) {
                         const int k = work.k_begin + step * kStep;
                         copy_panel<TransposedA>(shared + 2 * buffer * kPanel, work.a, k, work.k_end);
                         copy_panel<!TransposedB>(shared + (2 * buffer + 1) * kPanel, work.b, k, work.k_end);
                       },
                       [&](int buffer) {
                         multiply<TransposedA, TransposedB>(shared + 2 * buffer * kPanel,
                                                            shared + (2 * buffer + 1) * kPanel, row, column,
                                                            sums);
                       });
    put_sums(reinterpret_cast<float*>(shared), work, row, column, sums, output);
  }
};

}  // namespace limoe::cuda
