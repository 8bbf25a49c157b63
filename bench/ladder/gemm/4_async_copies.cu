// Rung 4: panels arrive while the ones before are multiplied.
//
// Two pairs of panels take turns. cp.async goes past the registers: a lane says what to copy and goes on; it
// waits for its own copies only when it needs them, and the barrier behind the wait makes all lanes' copies
// seen. That same barrier says that the other pair has been read, so one a step is enough.
#include "bench/ladder/gemm/ladder.h"
#include "bench/ladder/gemm/tile.cuh"
#include "cuda/mma.cuh"

namespace limoe::ladder {

using namespace cuda;

// Starts the copies of both panels from k = first on; what lies outside becomes zero.
__device__ inline void start_copies(Product of, const float* a, const float* b, int row, int column,
                                    int first, float* of_a, float* of_b) {
  for (int i = int(threadIdx.x); i < kStep * kTile; i += kLanes) {
    const int k = i % kStep, x = i / kStep;
    const bool inside = row + x < of.m && first + k < of.k;
    copy_async_4(of_a + k * kPitch + x, inside ? a + int64_t(row + x) * of.k + first + k : a, inside ? 4 : 0);
  }
  for (int i = int(threadIdx.x); i < kStep * kTile; i += kLanes) {
    const int k = i / kTile, x = i % kTile;
    const bool inside = first + k < of.k && column + x < of.n;
    copy_async_4(of_b + k * kPitch + x, inside ? b + int64_t(first + k) * of.n + column + x : b,
                 inside ? 4 : 0);
  }
  commit_copies();
}

// One block per 64 x 64 values of C, 4 x 4 values a lane.
__global__ void __launch_bounds__(kLanes)
    gemm_async_copies_kernel(Product of, const float* a, const float* b, float* c) {
  float* const shared = dynamic_shared<float>();
  const int lane = int(threadIdx.x), row = int(blockIdx.y) * kTile, column = int(blockIdx.x) * kTile;
  const int my_row = lane / kLanesAcross * kQuad, my_column = lane % kLanesAcross * kQuad;
  const auto start = [&](int first, int pair) {
    start_copies(of, a, b, row, column, first, shared + 2 * pair * kPanel, shared + (2 * pair + 1) * kPanel);
  };
  float sums[kQuad][kQuad] = {};
  start(0, 0);
  for (int first = 0, pair = 0; first < of.k; first += kStep, pair = 1 - pair) {
    wait_for_copies<0>();
    __syncthreads();
    if (first + kStep < of.k) start(first + kStep, 1 - pair);
    multiply_panels(shared + 2 * pair * kPanel + my_row, shared + (2 * pair + 1) * kPanel + my_column, sums);
  }
  write_quads(c, row + my_row, column + my_column, of.m, of.n, sums);
}

void gemm_async_copies(Stream stream, Product of, const float* a, const float* b, float* c) {
  launch<gemm_async_copies_kernel>(stream,
                                   {.grid = {blocks_for(of.n, kTile), blocks_for(of.m, kTile)},
                                    .block = kLanes,
                                    .shared_bytes = 4 * kPanel * sizeof(float)},
                                   of, a, b, c);
}

}  // namespace limoe::ladder
