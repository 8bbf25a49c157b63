// Rung 1: a lane makes one value of C from a row of A and a column of B.
//
// Neighbouring lanes make neighbouring columns, so that a warp reads 128 bytes of B in a row and one value of
// A for all. Every multiplication reads 8 bytes: the kernel goes at the speed of the caches, not of the
// multipliers.
#include "bench/ladder/gemm/ladder.h"
#include "cuda/device.cuh"

namespace limoe::ladder {

using namespace cuda;

// One lane per value of C; a warp has 32 columns of one row.
__global__ void gemm_naive_kernel(Product of, const float* a, const float* b, float* c) {
  const int column = int(blockIdx.x * blockDim.x + threadIdx.x), row = int(blockIdx.y);
  if (column >= of.n) return;
  float sum = 0;
  for (int k = 0; k < of.k; ++k) sum += a[int64_t(row) * of.k + k] * b[int64_t(k) * of.n + column];
  c[int64_t(row) * of.n + column] = sum;
}

void gemm_naive(Stream stream, Product of, const float* a, const float* b, float* c) {
  launch<gemm_naive_kernel>(stream, {.grid = {blocks_for(of.n, 128), of.m}, .block = 128}, of, a, b, c);
}

}  // namespace limoe::ladder
