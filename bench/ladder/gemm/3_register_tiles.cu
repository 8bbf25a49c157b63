// Rung 3: a lane makes 4 x 4 values of C, so that what it reads from shared memory serves four
// multiplications.
//
// The panel of A lies transposed, [k, row], so that a lane's four rows are one read of 16 bytes. Tiles of 64
// x 64 also halve the reads of global memory. What is left: all lanes wait while panels arrive.
#include "bench/ladder/gemm/ladder.h"
#include "bench/ladder/gemm/tile.cuh"

namespace limoe::ladder {

using namespace cuda;

// One block per 64 x 64 values of C, 4 x 4 values a lane.
__global__ void __launch_bounds__(kLanes)
    gemm_register_tiles_kernel(Product of, const float* a, const float* b, float* c) {
  float* const of_a = dynamic_shared<float>();
  float* const of_b = of_a + kPanel;
  const int lane = int(threadIdx.x), row = int(blockIdx.y) * kTile, column = int(blockIdx.x) * kTile;
  const int my_row = lane / kLanesAcross * kQuad, my_column = lane % kLanesAcross * kQuad;
  float sums[kQuad][kQuad] = {};
  for (int first = 0; first < of.k; first += kStep) {
    for (int i = lane; i < kStep * kTile; i += kLanes) {
      const int k = i % kStep, x = i / kStep;
      of_a[k * kPitch + x] =
          row + x < of.m && first + k < of.k ? a[int64_t(row + x) * of.k + first + k] : 0.0f;
    }
    for (int i = lane; i < kStep * kTile; i += kLanes) {
      const int k = i / kTile, x = i % kTile;
      of_b[k * kPitch + x] =
          first + k < of.k && column + x < of.n ? b[int64_t(first + k) * of.n + column + x] : 0.0f;
    }
    __syncthreads();
    multiply_panels(of_a + my_row, of_b + my_column, sums);
    __syncthreads();
  }
  write_quads(c, row + my_row, column + my_column, of.m, of.n, sums);
}

void gemm_register_tiles(Stream stream, Product of, const float* a, const float* b, float* c) {
  launch<gemm_register_tiles_kernel>(stream,
                                     {.grid = {blocks_for(of.n, kTile), blocks_for(of.m, kTile)},
                                      .block = kLanes,
                                      .shared_bytes = 2 * kPanel * sizeof(float)},
                                     of, a, b, c);
}

}  // namespace limoe::ladder
