#include "cuda/column_sums.h"
#include "cuda/device.cuh"

namespace limoe::cuda {
namespace {

constexpr int kWarps = 8;
constexpr int64_t kLeastRowsOfARun = 32;
constexpr int64_t kMostRuns = 128;
constexpr int64_t kWantedBlocks = 1024;  // enough for every GPU; more runs only make the second stage longer

}  // namespace

int64_t column_sum_runs(Rows rows) {
  const int64_t strips = blocks_for(rows.width, kWarpSize),
                by_rows = blocks_for(rows.count, kLeastRowsOfARun);
  int64_t runs = strips > 0 ? blocks_for(kWantedBlocks, strips) : 1;
  if (runs > kMostRuns) runs = kMostRuns;
  return runs < by_rows ? runs : by_rows;
}

// Block (strip of 32 columns, run of rows): warp w adds up the run's rows w, w + 8, ...; then warp 0 adds up
// the warps. sums [runs, width].
template <class From, class To>
__global__ void column_sums_kernel(const From* x, To* sums, int64_t rows_per_run, Rows rows) {
  float* const of_warp = dynamic_shared<float>();  // [warps, 32]
  const int64_t column = int64_t(blockIdx.x) * kWarpSize + threadIdx.x;
  const int64_t begin = blockIdx.y * rows_per_run;
  const int64_t end = begin + rows_per_run < rows.count ? begin + rows_per_run : rows.count;
  float sum = 0;
  if (column < rows.width)
    for (int64_t row = begin + threadIdx.y; row < end; row += kWarps)
      sum += load(x + row * rows.width + column);
  of_warp[threadIdx.y * kWarpSize + threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.y != 0 || column >= rows.width) return;
  for (int warp = 1; warp < kWarps; ++warp) sum += of_warp[warp * kWarpSize + threadIdx.x];
  store(sums + blockIdx.y * rows.width + column, sum);
}

namespace {

LaunchShape strips_by_runs(int64_t width, int64_t runs) {
  return {.grid = {blocks_for(width, kWarpSize), runs},
          .block = kWarpSize,
          .block_y = kWarps,
          .shared_bytes = kWarps * kWarpSize * sizeof(float)};
}

}  // namespace

template <class T>
void sum_runs(Stream stream, const float* partials, T* sums, int64_t runs, int64_t width) {
  if (width == 0) return;
  launch<column_sums_kernel<float, T>>(stream, strips_by_runs(width, 1), partials, sums, runs,
                                       Rows{runs, width});
}

template <class T>
void column_sums(Stream stream, const T* x, float* partials, T* sums, Rows rows) {
  if (rows.width == 0) return;
  const int64_t runs = column_sum_runs(rows);
  if (runs > 0)
    launch<column_sums_kernel<T, float>>(stream, strips_by_runs(rows.width, runs), x, partials,
                                         blocks_for(rows.count, runs), rows);
  sum_runs(stream, partials, sums, runs, rows.width);
}

template void column_sums(Stream, const float*, float*, float*, Rows);
template void column_sums(Stream, const bf16*, float*, bf16*, Rows);
template void sum_runs(Stream, const float*, float*, int64_t, int64_t);
template void sum_runs(Stream, const float*, bf16*, int64_t, int64_t);

}  // namespace limoe::cuda
