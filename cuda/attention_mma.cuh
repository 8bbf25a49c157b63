// What the attention kernels on tensor cores share: tiles of bf16 rows in shared memory, and products whose
// results stay in registers. Heads are whole packs of 16 bytes, up to kWidth columns wide.
//
// Each warp owns 16 rows of its block's. A product's result [16, 8 n] is n accumulators of mma.cuh: with g =
// lane / 4 and t = lane % 4, element i of accumulator n is row g + 8 (i / 2), column 8 n + 2 t + i % 2. In
// that form it is, rounded to bf16, the left operand of the next product, without going through memory (Dao
// 2023, arXiv 2307.08691).
#pragma once

#include "cuda/attention_layout.cuh"
#include "cuda/mma.cuh"
#include "cuda/reduce.cuh"

namespace limoe::cuda {

void attention_forward_mma(Stream stream, const AttentionForward<bf16>& of, const AttentionSizes& sizes,
                           const HeadLayout& layout);
// of.deltas is filled in.
void attention_backward_mma(Stream stream, const AttentionBackward<bf16>& of, const AttentionSizes& sizes,
                            const HeadLayout& layout);

// A block owns kOwnedRows rows and walks along the others by kOtherRows.
template <int kOwnedRows, int kOtherRows, int kHeadWidth>
struct MmaTile {
  static constexpr int kOwned = kOwnedRows, kOther = kOtherRows, kWidth = kHeadWidth;
  static constexpr int kLanes = kOwned / 16 * kWarpSize;
  static constexpr int kScores = kOther / 8, kColumns = kWidth / 8;  // accumulators of a lane
  // An odd number of 16 bytes, so that eight rows of a matrix lie in different banks.
  static constexpr int kPitch = kWidth + 8, kScorePitch = kOther + 8;
  static constexpr int kOwnedElements = kOwned * kPitch, kOtherElements = kOther * kPitch;

  static __device__ int own_row() { return warp_index() * 16; }
  static __device__ int row_of(int i) { return own_row() + lane_index() / 4 + i / 2 * 8; }
  static __device__ int column_of(int n, int i) { return n * 8 + lane_index() % 4 * 2 + i % 2; }

  // tile [kRows, kWidth] = rows 0 .. count - 1, zeros where there is none or it is not valid. Asynchronous.
  template <int kRows>
  static __device__ void copy_rows(bf16* tile, const bf16* rows, int64_t stride, int count, int width,
                                   const int32_t* valid) {
    constexpr int kChunks = kWidth / 8;
    for (int i = int(threadIdx.x); i < kRows * kChunks; i += kLanes) {
      const int row = i / kChunks, column = i % kChunks * 8;
      const bool has = row < count && column < width && (!valid || valid[row] != 0);
      copy_async_16(tile + row * kPitch + column, has ? rows + row * stride + column : rows, has ? 16 : 0);
    }
  }

  // c = the warp's rows of a . all rows of b, over the columns
  static __device__ void multiply_rows(const bf16* a, const bf16* b, float (&c)[kScores][4]) {
    const int matrix = lane_index() / 8, row = lane_index() % 8;
#pragma unroll
    for (int n = 0; n < kScores; ++n)
#pragma unroll
      for (int i = 0; i < 4; ++i) c[n][i] = 0;
#pragma unroll
    for (int k = 0; k < kWidth; k += 16) {
      unsigned left[4];
      load_matrices(left, a + (own_row() + matrix % 2 * 8 + row) * kPitch + k + matrix / 2 * 8);
#pragma unroll
      for (int n = 0; n < kScores; n += 2) {
        unsigned r[4];
        load_matrices(r, b + (n * 8 + matrix / 2 * 8 + row) * kPitch + k + matrix % 2 * 8);
        const unsigned first[2] = {r[0], r[1]}, second[2] = {r[2], r[3]};
        multiply_add(c[n], left, first);
        multiply_add(c[n + 1], left, second);
      }
    }
  }

  // c += left [16, 16] . rows k .. k + 15
  static __device__ void add_product(const unsigned (&left)[4], const bf16* rows, int k,
                                     float (&c)[kColumns][4]) {
    const int matrix = lane_index() / 8, row = lane_index() % 8;
#pragma unroll
    for (int n = 0; n < kColumns; n += 2) {
      unsigned r[4];
      load_matrices_transposed(r, rows + (k + matrix % 2 * 8 + row) * kPitch + n * 8 + matrix / 2 * 8);
      const unsigned first[2] = {r[0], r[1]}, second[2] = {r[2], r[3]};
      multiply_add(c[n], left, first);
      multiply_add(c[n + 1], left, second);
    }
  }

  // c += weights . rows, with weights [16, kOther] in registers
  static __device__ void add_weighted_rows(const float (&weights)[kScores][4], const bf16* rows,
                                           float (&c)[kColumns][4]) {
#pragma unroll
    for (int n = 0; n < kScores; n += 2) {
      const unsigned left[4] = {
          pack_pair(weights[n][0], weights[n][1]), pack_pair(weights[n][2], weights[n][3]),
          pack_pair(weights[n + 1][0], weights[n + 1][1]), pack_pair(weights[n + 1][2], weights[n + 1][3])};
      add_product(left, rows, n * 8, c);
    }
  }

  // c += the warp's columns of weights [kOwned, kScorePitch], transposed, . rows
  static __device__ void add_weighted_rows_transposed(const bf16* weights, const bf16* rows,
                                                      float (&c)[kColumns][4]) {
    const int matrix = lane_index() / 8, row = lane_index() % 8;
#pragma unroll
    for (int k = 0; k < kOwned; k += 16) {
      unsigned left[4];
      load_matrices_transposed(
          left, weights + (k + matrix / 2 * 8 + row) * kScorePitch + own_row() + matrix % 2 * 8);
      add_product(left, rows, k, c);
    }
  }

  // The warp's rows, those below count, to global memory.
  static __device__ void store_rows(bf16* rows, int64_t stride, int count, int width,
                                    const float (&c)[kColumns][4]) {
#pragma unroll
    for (int n = 0; n < kColumns; ++n)
#pragma unroll
      for (int i = 0; i < 4; i += 2)
        if (row_of(i) < count && n * 8 < width)
          *reinterpret_cast<unsigned*>(rows + row_of(i) * stride + column_of(n, i)) =
              pack_pair(c[n][i], c[n][i + 1]);
  }
};

}  // namespace limoe::cuda
