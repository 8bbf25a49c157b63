// A tile of C = op(A) op(B) in f32 on CUDA cores.
//
// Panels of kStep of k lie in shared memory as [k][x] for both operands, two of each; a lane holds 8 x 8 (8 x
// 4 in the small tile) values of C in registers and reads what it needs of a k by 16-byte loads that touch
// every bank once. Operands that lie as [k, x] are copied by 16 bytes; those that lie as [x, k] are
// transposed by copies of 4 bytes.
#pragma once

#include "cuda/gemm_plan.h"
#include "cuda/gemm_tile.cuh"

namespace limoe::cuda {

template <int Tile>
struct F32Tile {
  using Value = float;
  static constexpr bool kOneAfterAnother = false;
  static constexpr int kRows = Tile, kColumns = Tile, kStep = 16, kBuffers = 2;
  static constexpr int kRowQuads = 2, kColumnQuads = Tile == 128 ? 2 : 1;  // 4 x 4 values each, of a lane
  static constexpr int kLanesAcross = Tile / (4 * kColumnQuads), kLanesDown = Tile / (4 * kRowQuads);
  static constexpr int kLanes = kLanesAcross * kLanesDown,
                       kBlocks = Tile == 128 ? 2 : 4;  // on a multiprocessor
  static constexpr int kPitch = Tile + 4;              // keeps transposing copies from meeting in one bank
  static constexpr int kPanel = kStep * kPitch;
  static constexpr size_t kSharedBytes = 2 * kBuffers * kPanel * sizeof(float);

  using Sums = float[4 * kRowQuads][4 * kColumnQuads];

  // Its loops stay loops: unrolled, their addresses push the sums out of the registers.
  template <bool KOuter>
  static __device__ __forceinline__ void copy_panel(float* to, const TileOperand<float>& x, int k,
                                                    int k_end) {
    const int left = x.count - x.first, k_left = k_end - k;
    if (KOuter && x.packed) {
#pragma unroll 1
      for (int i = int(threadIdx.x); i < kStep * Tile / 4; i += kLanes) {
        const int row = i / (Tile / 4), column = i % (Tile / 4) * 4;
        int valid = row < k_left ? left - column : 0;
        valid = valid < 0 ? 0 : valid > 4 ? 4 : valid;
        const float* const from = x.data + (k + row) * x.stride + x.first + column;
        copy_async_16(to + row * kPitch + column, valid ? from : x.data, valid * int(sizeof(float)));
      }
      return;
    }
#pragma unroll 1
    for (int i = int(threadIdx.x); i < kStep * Tile; i += kLanes) {
      const int row = KOuter ? i / Tile : i % kStep, column = KOuter ? i % Tile : i / kStep;
      const bool valid = row < k_left && column < left;
      const float* const from = KOuter ? x.data + (k + row) * x.stride + x.first + column
                                       : x.data + (x.first + column) * x.stride + k + row;
      copy_async_4(to + row * kPitch + column, valid ? from : x.data, valid ? int(sizeof(float)) : 0);
    }
  }

  static __device__ __forceinline__ void read_quads(const float* from, int quads, int distance, float* to) {
#pragma unroll
    for (int quad = 0; quad < quads; ++quad) {
      const Packed<float> pack = load_packed(from + quad * distance);
#pragma unroll
      for (int i = 0; i < 4; ++i) to[4 * quad + i] = pack[i];
    }
  }

  // Half a panel at a time: were it one piece, values read ahead of the products would push the sums out.
  static __device__ __forceinline__ void multiply(const float* a, const float* b, Sums& sums) {
#pragma unroll 8
    for (int k = 0; k < kStep; ++k) {
      float rows[4 * kRowQuads], columns[4 * kColumnQuads];
      read_quads(a + k * kPitch, kRowQuads, 4 * kLanesDown, rows);
      read_quads(b + k * kPitch, kColumnQuads, 4 * kLanesAcross, columns);
#pragma unroll
      for (int i = 0; i < 4 * kRowQuads; ++i)
#pragma unroll
        for (int j = 0; j < 4 * kColumnQuads; ++j) sums[i][j] += rows[i] * columns[j];
    }
  }

  // All lanes of the block.
  template <bool TransposedA, bool TransposedB, class Output>
  static __device__ __forceinline__ void run(const TileWork<float>& work, const Output& output) {
    float* const shared = dynamic_shared<float>();
    const int across = int(threadIdx.x) % kLanesAcross, down = int(threadIdx.x) / kLanesAcross;
    Sums sums = {};
    pipeline<kBuffers>((work.k_end - work.k_begin + kStep - 1) / kStep,
                       [&](int step, int buffer) {
                         const int k = work.k_begin + step * kStep;
                         copy_panel<TransposedA>(shared + 2 * buffer * kPanel, work.a, k, work.k_end);
                         copy_panel<!TransposedB>(shared + (2 * buffer + 1) * kPanel, work.b, k, work.k_end);
                       },
                       [&](int buffer) {
                         multiply(shared + 2 * buffer * kPanel + 4 * down,
                                  shared + (2 * buffer + 1) * kPanel + 4 * across, sums);
                       });
#pragma unroll
    for (int i = 0; i < 4 * kRowQuads; ++i)
#pragma unroll
      for (int quad = 0; quad < kColumnQuads; ++quad) {
        float values[4];
#pragma unroll
        for (int j = 0; j < 4; ++j) values[j] = sums[i][4 * quad + j];
        output.put(work.a.first + i / 4 * 4 * kLanesDown + 4 * down + i % 4,
                   work.b.first + quad * 4 * kLanesAcross + 4 * across, values);
      }
  }
};

struct F32Tiles {
  template <class Use>
  static void use(GemmTile tile, const Use& use) {
    tile == GemmTile::small ? use.template operator()<F32Tile<kSmallTile>>()
                            : use.template operator()<F32Tile<kLargeTile>>();
  }
};

}  // namespace limoe::cuda
