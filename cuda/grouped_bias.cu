// The bias gradients of grouped_linear: column sums of each expert's rows, in two stages. Runs of rows of one
// expert are summed into partials, then the partials of an expert, in order.
#include "cuda/expert_rows.cuh"
#include "cuda/grouped_linear.h"

namespace limoe::cuda {
namespace {

constexpr int kWarps = 8;
constexpr int64_t kLeastRowsOfARun = 64, kMostRuns = 128;

int64_t rows_of_a_run(GroupedShape shape) {
  const int64_t rows = blocks_for(shape.rows, kMostRuns);
  return rows > kLeastRowsOfARun ? rows : kLeastRowsOfARun;
}

}  // namespace

int64_t grouped_bias_runs(GroupedShape shape) {
  return shape.rows / rows_of_a_run(shape) + shape.experts;
}

// The sum of x[row, column] over rows begin .. end - 1 by the block's eight warps in step; warp 0 has it.
// Ends with the block's memory in use: once a kernel.
template <class From>
__device__ inline float strip_sum(const From* x, RowRange rows, int64_t column, int64_t width) {
  float* const of_warp = dynamic_shared<float>();  // [warps, 32]
  float sum = 0;
  if (column < width)
    for (int row = rows.begin + int(threadIdx.y); row < rows.end; row += kWarps)
      sum += load(x + row * width + column);
  of_warp[threadIdx.y * kWarpSize + threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.y == 0)
    for (int warp = 1; warp < kWarps; ++warp) sum += of_warp[warp * kWarpSize + threadIdx.x];
  return sum;
}

// Block (strip of 32 columns, run): partials[run].
template <class T>
__global__ void grouped_bias_runs_kernel(const T* dy, ExpertRows experts, int run_length, int64_t width,
                                         float* partials) {
  const ExpertRun run = find_run(experts, experts.experts - 1, run_length, int(blockIdx.y));
  if (run.expert < 0) return;
  const int64_t column = int64_t(blockIdx.x) * kWarpSize + threadIdx.x;
  const float sum = strip_sum(dy, run.rows, column, width);
  if (threadIdx.y == 0 && column < width) partials[blockIdx.y * width + column] = sum;
}

// Block (strip of 32 columns, expert): the partials of its runs.
template <class T>
__global__ void grouped_bias_kernel(const float* partials, int most_runs, ExpertRows experts, int run_length,
                                    int64_t width, T* dbias) {
  RowRange runs{0, 0};
  for (int expert = 0; expert <= int(blockIdx.y); ++expert) {
    const RowRange rows = experts.of(expert);
    runs = {runs.end, runs.end + (rows.end - rows.begin + run_length - 1) / run_length};
  }
  if (runs.end > most_runs) runs.end = most_runs;  // a row_begin that descends
  const int64_t column = int64_t(blockIdx.x) * kWarpSize + threadIdx.x;
  const float sum = strip_sum(partials, runs, column, width);
  if (threadIdx.y == 0 && column < width) store(dbias + blockIdx.y * width + column, sum);
}

template <class T>
void grouped_linear_backward_bias(Stream stream, GroupedShape shape, const int32_t* row_begin, const T* dy,
                                  float* partials, T* dbias) {
  if (shape.experts == 0 || shape.outputs == 0) return;
  const ExpertRows experts{row_begin, narrow("grouped_linear: experts", shape.experts),
                           narrow("grouped_linear: rows", shape.rows)};
  const int run_length = narrow("grouped_linear: rows", rows_of_a_run(shape));
  LaunchShape blocks{.grid = {blocks_for(shape.outputs, kWarpSize), grouped_bias_runs(shape)},
                     .block = kWarpSize,
                     .block_y = kWarps,
                     .shared_bytes = kWarps * kWarpSize * sizeof(float)};
  launch<grouped_bias_runs_kernel<T>>(stream, blocks, dy, experts, run_length, shape.outputs, partials);
  blocks.grid.y = shape.experts;
  launch<grouped_bias_kernel<T>>(stream, blocks, partials, int(grouped_bias_runs(shape)), experts, run_length,
                                 shape.outputs, dbias);
}

template void grouped_linear_backward_bias(Stream, GroupedShape, const int32_t*, const float*, float*,
                                           float*);
template void grouped_linear_backward_bias(Stream, GroupedShape, const int32_t*, const bf16*, float*, bf16*);

}  // namespace limoe::cuda
