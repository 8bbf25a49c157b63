// Rung 5: a warp makes 32 x 32 values of C by mma.sync, which multiplies 16 x 16 by 16 x 8 at once.
//
// Inputs are bf16, sums f32. ldmatrix hands every lane the part of a matrix that mma.sync wants it to hold; B
// lies as [k, column] and is transposed on the way. Rows in shared memory are 16 bytes longer than their
// contents: the 8 rows of a matrix then lie in different banks. Copies are plain again, to keep one idea a
// rung.
#include "bench/ladder/gemm/ladder.h"
#include "cuda/mma.cuh"

namespace limoe::ladder {

using namespace cuda;

namespace {

constexpr int kTile = 64, kStep = 16, kLanes = 128, kWarpTile = 32;
constexpr int kPitchA = kStep + 8, kPitchB = kTile + 8;  // of panels [row, k] and [k, column]

}  // namespace

__device__ inline void copy_panel(bf16* to, int pitch, const bf16* from, int64_t stride, int rows,
                                  int columns, int rows_inside, int columns_inside) {
  for (int i = int(threadIdx.x); i < rows * columns; i += kLanes) {
    const int row = i / columns, column = i % columns;
    const bool inside = row < rows_inside && column < columns_inside;
    to[row * pitch + column] = inside ? from[row * stride + column] : bf16();
  }
}

// 32 x 32 values of a warp, from its first row of A and first column of B.
__device__ inline void multiply_panels(const bf16* of_a, const bf16* of_b, float (&sums)[2][4][4]) {
  const int lane = lane_index();
#pragma unroll
  for (int i = 0; i < 2; ++i) {
    unsigned rows[4];
    load_matrices(rows, of_a + (16 * i + lane % 16) * kPitchA + lane / 16 * 8);
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      unsigned columns[2];
      load_matrices_transposed(columns, of_b + lane % 16 * kPitchB + 8 * j);
      multiply_add(sums[i][j], rows, columns);
    }
  }
}

// One block per 64 x 64 values of C, four warps with a quarter each.
__global__ void __launch_bounds__(kLanes)
    gemm_tensor_cores_kernel(Product of, const bf16* a, const bf16* b, float* c) {
  bf16* const of_a = dynamic_shared<bf16>();
  bf16* const of_b = of_a + kTile * kPitchA;
  const int row = int(blockIdx.y) * kTile, column = int(blockIdx.x) * kTile;
  const int my_row = warp_index() / 2 * kWarpTile, my_column = warp_index() % 2 * kWarpTile;
  float sums[2][4][4] = {};
  for (int first = 0; first < of.k; first += kStep) {
    copy_panel(of_a, kPitchA, a + int64_t(row) * of.k + first, of.k, kTile, kStep, of.m - row, of.k - first);
    copy_panel(of_b, kPitchB, b + int64_t(first) * of.n + column, of.n, kStep, kTile, of.k - first,
               of.n - column);
    __syncthreads();
    multiply_panels(of_a + my_row * kPitchA, of_b + my_column, sums);
    __syncthreads();
  }
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 4; ++j)
      for (int part = 0; part < 4; ++part) {
        const int at_row = row + my_row + 16 * i + part / 2 * 8 + lane_index() / 4;
        const int at_column = column + my_column + 8 * j + lane_index() % 4 * 2 + part % 2;
        if (at_row < of.m && at_column < of.n) c[int64_t(at_row) * of.n + at_column] = sums[i][j][part];
      }
}

void gemm_tensor_cores(Stream stream, Product of, const bf16* a, const bf16* b, float* c) {
  launch<gemm_tensor_cores_kernel>(stream,
                                   {.grid = {blocks_for(of.n, kTile), blocks_for(of.m, kTile)},
                                    .block = kLanes,
                                    .shared_bytes = (kTile * kPitchA + kStep * kPitchB) * sizeof(bf16)},
                                   of, a, b, c);
}

}  // namespace limoe::ladder
