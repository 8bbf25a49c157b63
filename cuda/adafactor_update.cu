#include "cuda/adafactor_update.h"
#include "cuda/elementwise.cuh"
#include "cuda/reduce.cuh"

namespace limoe::cuda {
namespace {

constexpr float kEpsilon = 1e-30f;
constexpr int kRowWarps = 4;
constexpr int kStripWarps = 16;
constexpr int kUpdateLanes = 256;

__device__ inline int64_t first_element(const AdafactorAxes& axes, int64_t matrix) {
  const int64_t behind = matrix % axes.column_stride, rest = matrix / axes.column_stride;
  return rest / axes.between * axes.rows * axes.row_stride +
         rest % axes.between * axes.columns * axes.column_stride + behind;
}

__device__ inline void apply(const AdafactorArrays& arrays, const AdafactorStep& step, int64_t i,
                             float root) {
  const float m = step.beta1 * arrays.m[i] + (1 - step.beta1) * (arrays.g[i] / root);
  arrays.m[i] = m;
  arrays.w[i] -= step.lr * m + step.decay * arrays.w[i];
}

__device__ inline float averaged(const AdafactorStep& step, float moment, float mean) {
  return step.beta2 * moment + (1 - step.beta2) * (mean + kEpsilon);
}

}  // namespace

// Lanes stride over the elements.
__global__ void adafactor_full_kernel(AdafactorArrays arrays, AdafactorStep step, float* v, int64_t count) {
  for (int64_t i = first_item(); i < count; i += item_stride()) {
    v[i] = averaged(step, v[i], arrays.g[i] * arrays.g[i]);
    apply(arrays, step, i, sqrtf(v[i]));
  }
}

// A warp for every row of every matrix.
__global__ void adafactor_rows_kernel(const float* g, AdafactorStep step, AdafactorAxes axes,
                                      float* moments) {
  const int64_t row = int64_t(blockIdx.x) * kRowWarps + warp_index();
  if (row >= axes.matrices * axes.rows) return;
  const float* const from = g + first_element(axes, row / axes.rows) + row % axes.rows * axes.row_stride;
  float sum = 0;
  for (int64_t j = lane_index(); j < axes.columns; j += kWarpSize)
    sum += from[j * axes.column_stride] * from[j * axes.column_stride];
  sum = warp_reduce<Sum>(sum);
  if (lane_index() == 0) moments[row] = averaged(step, moments[row], sum / float(axes.columns));
}

// Block (strip of 32 columns, matrix): warp w takes rows w, w + 16, ..., then warp 0 adds up the warps.
__global__ void adafactor_columns_kernel(const float* g, AdafactorStep step, AdafactorAxes axes,
                                         int64_t strips, float* moments) {
  float* const of_warp = dynamic_shared<float>();  // [warps, 32]
  const int64_t matrix = blockIdx.x / strips, column = blockIdx.x % strips * kWarpSize + threadIdx.x;
  const float* const from = g + first_element(axes, matrix) + column * axes.column_stride;
  float sum = 0;
  if (column < axes.columns)
    for (int64_t row = threadIdx.y; row < axes.rows; row += kStripWarps)
      sum += from[row * axes.row_stride] * from[row * axes.row_stride];
  of_warp[threadIdx.y * kWarpSize + threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.y != 0 || column >= axes.columns) return;
  for (int warp = 1; warp < kStripWarps; ++warp) sum += of_warp[warp * kWarpSize + threadIdx.x];
  float* const moment = moments + matrix * axes.columns + column;
  *moment = averaged(step, *moment, sum / float(axes.rows));
}

// A block for every matrix.
__global__ void adafactor_row_means_kernel(const float* moments, AdafactorAxes axes, float* means) {
  const float* const of_matrix = moments + blockIdx.x * axes.rows;
  float sum = 0;
  for (int64_t row = threadIdx.x; row < axes.rows; row += kUpdateLanes) sum += of_matrix[row];
  sum = block_reduce<Sum>(sum);
  if (threadIdx.x == 0) means[blockIdx.x] = sum / float(axes.rows);
}

// A block for every row of every matrix; lanes along the columns.
__global__ void adafactor_factored_kernel(AdafactorArrays arrays, AdafactorStep step, AdafactorAxes axes,
                                          const float* rows, const float* columns, const float* means) {
  const int64_t row = blockIdx.x, matrix = row / axes.rows;
  const int64_t first = first_element(axes, matrix) + row % axes.rows * axes.row_stride;
  const float share = rows[row] / means[matrix];
  const float* const column = columns + matrix * axes.columns;
  for (int64_t j = threadIdx.x; j < axes.columns; j += kUpdateLanes)
    apply(arrays, step, first + j * axes.column_stride, sqrtf(share * column[j]));
}

void adafactor_full(Stream stream, const AdafactorArrays& arrays, const AdafactorStep& step, float* v,
                    int64_t count) {
  if (count == 0) return;
  launch<adafactor_full_kernel>(stream, elementwise_shape(count), arrays, step, v, count);
}

void adafactor_factored(Stream stream, const AdafactorArrays& arrays, const AdafactorStep& step,
                        const AdafactorAxes& axes, float* rows, float* columns, float* row_means) {
  const int64_t all_rows = axes.matrices * axes.rows, strips = blocks_for(axes.columns, kWarpSize);
  if (all_rows == 0) return;
  launch<adafactor_rows_kernel>(stream,
                                {.grid = {blocks_for(all_rows, kRowWarps)}, .block = kRowWarps * kWarpSize},
                                arrays.g, step, axes, rows);
  launch<adafactor_columns_kernel>(stream,
                                   {.grid = {axes.matrices * strips},
                                    .block = kWarpSize,
                                    .block_y = kStripWarps,
                                    .shared_bytes = kStripWarps * kWarpSize * sizeof(float)},
                                   arrays.g, step, axes, strips, columns);
  launch<adafactor_row_means_kernel>(stream, {.grid = {axes.matrices}, .block = kUpdateLanes},
                                     static_cast<const float*>(rows), axes, row_means);
  launch<adafactor_factored_kernel>(stream, {.grid = {all_rows}, .block = kUpdateLanes}, arrays, step, axes,
                                    static_cast<const float*>(rows), static_cast<const float*>(columns),
                                    static_cast<const float*>(row_means));
}

}  // namespace limoe::cuda
