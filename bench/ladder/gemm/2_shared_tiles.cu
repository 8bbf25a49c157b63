// Rung 2: a block makes a tile of C, and every value it reads from global memory serves 32 lanes.
//
// Panels of 32 x 32 of A and of B pass through shared memory. The first barrier says that the panels are
// whole, the second that nobody reads them any more. Global memory is read 32 times less often than on rung
// 1; now shared memory is the limit, with two reads a multiplication.
#include "bench/ladder/gemm/ladder.h"
#include "cuda/device.cuh"

namespace limoe::ladder {

using namespace cuda;

namespace {

constexpr int kTile = 32;

}  // namespace

// One block per 32 x 32 values of C, one lane each.
__global__ void gemm_shared_tiles_kernel(Product of, const float* a, const float* b, float* c) {
  float* const of_a = dynamic_shared<float>();  // [row, k]
  float* const of_b = of_a + kTile * kTile;     // [k, column]
  const int x = int(threadIdx.x), y = int(threadIdx.y);
  const int row = int(blockIdx.y) * kTile + y, column = int(blockIdx.x) * kTile + x;
  float sum = 0;
  for (int first = 0; first < of.k; first += kTile) {
    of_a[y * kTile + x] = row < of.m && first + x < of.k ? a[int64_t(row) * of.k + first + x] : 0.0f;
    of_b[y * kTile + x] = first + y < of.k && column < of.n ? b[int64_t(first + y) * of.n + column] : 0.0f;
    __syncthreads();
    for (int k = 0; k < kTile; ++k) sum += of_a[y * kTile + k] * of_b[k * kTile + x];
    __syncthreads();
  }
  if (row < of.m && column < of.n) c[int64_t(row) * of.n + column] = sum;
}

void gemm_shared_tiles(Stream stream, Product of, const float* a, const float* b, float* c) {
  launch<gemm_shared_tiles_kernel>(stream,
                                   {.grid = {blocks_for(of.n, kTile), blocks_for(of.m, kTile)},
                                    .block = kTile,
                                    .block_y = kTile,
                                    .shared_bytes = 2 * kTile * kTile * sizeof(float)},
                                   of, a, b, c);
}

}  // namespace limoe::ladder
