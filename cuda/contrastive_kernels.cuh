// The passes of contrastive_loss over a block of products [rows, n], rows `begin` and on of A / scale.
// Included by cuda/contrastive_loss.cu alone.
//
// A product is multiplied by the scale where it is read, and that is rounded by itself: without a fused
// multiply-add the logit that is subtracted from its own log-sum-exp leaves exactly 0.
#pragma once

#include "cuda/reduce.cuh"

namespace limoe::cuda {

inline constexpr int kPassLanes = 256, kSumLanes = 1024;
inline constexpr size_t kColumnShared = 2 * kPassLanes * sizeof(float);

struct ProductBlock {
  const float* products;  // [rows, n]
  const float* scale;     // []: exp(log_scale)
  int64_t begin, rows, n;
};

__device__ inline float logit(float product, float scale) {
  return __fmul_rn(product, scale);
}

// One lane: scale = exp(log_scale).
template <class S>
__global__ void contrastive_scale_kernel(const S* log_scale, float* scale) {
  if (threadIdx.x == 0) *scale = expf(load(log_scale));
}

// A block a row of A: its log-sum-exp and its element on the diagonal.
__global__ void contrastive_rows_kernel(ProductBlock block, float* row_lse, float* diagonal) {
  const float* const row = block.products + blockIdx.x * block.n;
  const float scale = *block.scale;
  float top = Max::identity(), sum = 0;
  for (int64_t i = threadIdx.x; i < block.n; i += blockDim.x) top = Max::combine(top, logit(row[i], scale));
  top = block_reduce<Max>(top);
  for (int64_t i = threadIdx.x; i < block.n; i += blockDim.x) sum += expf(logit(row[i], scale) - top);
  sum = block_reduce<Sum>(sum);
  if (threadIdx.x > 0) return;
  const int64_t at = block.begin + blockIdx.x;
  row_lse[at] = top + logf(sum);
  diagonal[at] = logit(row[at], scale);
}

// A block for 32 columns, its warps share the rows: carries on the maximum of every column and the sum of
// exp(a - maximum).
__global__ void contrastive_columns_kernel(ProductBlock block, float* largest, float* sums) {
  float* const of_warp = dynamic_shared<float>();  // [2, warps, 32]: maxima, then sums
  const int warps = int(blockDim.x) / kWarpSize;
  const int64_t column = int64_t(blockIdx.x) * kWarpSize + lane_index();
  const bool inside = column < block.n, first = block.begin == 0;
  const float before = inside && !first ? largest[column] : Max::identity(), scale = *block.scale;
  float top = before;
  if (inside)
    for (int64_t row = warp_index(); row < block.rows; row += warps)
      top = Max::combine(top, logit(block.products[row * block.n + column], scale));
  of_warp[threadIdx.x] = top;
  __syncthreads();
  for (int warp = 0; warp < warps; ++warp) top = Max::combine(top, of_warp[warp * kWarpSize + lane_index()]);
  float sum = 0;
  if (inside)
    for (int64_t row = warp_index(); row < block.rows; row += warps)
      sum += expf(logit(block.products[row * block.n + column], scale) - top);
  of_warp[blockDim.x + threadIdx.x] = sum;
  __syncthreads();
  if (warp_index() > 0 || !inside) return;
  sum = first ? 0.0f : sums[column] * expf(before - top);
  for (int warp = 0; warp < warps; ++warp) sum += of_warp[blockDim.x + warp * kWarpSize + lane_index()];
  largest[column] = top;
  sums[column] = sum;
}

// One block: finishes the columns (column_lse holds their maxima) and takes the means.
__global__ void contrastive_means_kernel(const float* row_lse, const float* diagonal, const float* sums,
                                         int64_t n, float* column_lse, float* to_text, float* to_image,
                                         float* loss) {
  float rows = 0, columns = 0;
  for (int64_t i = threadIdx.x; i < n; i += blockDim.x) {
    const float lse = column_lse[i] + logf(sums[i]);
    column_lse[i] = lse;
    rows += row_lse[i] - diagonal[i];
    columns += lse - diagonal[i];
  }
  rows = block_reduce<Sum>(rows) / float(n);
  columns = block_reduce<Sum>(columns) / float(n);
  if (threadIdx.x > 0) return;
  *to_text = rows;
  *to_image = columns;
  *loss = 0.5f * (rows + columns);
}

// A block a row: dA * scale, which may lie where the products do, and along = the row's sum of dA * A.
template <class T>
__global__ void contrastive_gradient_kernel(ProductBlock block, const float* row_lse, const float* column_lse,
                                            const float* dloss, T* da, float* along) {
  const int64_t at = block.begin + blockIdx.x, first = blockIdx.x * block.n;
  const float scale = *block.scale, weight = *dloss / (2.0f * float(block.n)), lse = row_lse[at];
  float sum = 0;
  for (int64_t i = threadIdx.x; i < block.n; i += blockDim.x) {
    const float a = logit(block.products[first + i], scale);
    const float softmaxes = expf(a - lse) + expf(a - column_lse[i]);
    const float gradient = i == at ? softmaxes - 2.0f : softmaxes;
    sum += gradient * a;
    store(da + first + i, gradient * weight * scale);
  }
  sum = block_reduce<Sum>(sum);
  if (threadIdx.x == 0) along[at] = weight * sum;
}

// One block: dlog_scale = sum(along).
template <class S>
__global__ void contrastive_scale_gradient_kernel(const float* along, int64_t n, S* dlog_scale) {
  float sum = 0;
  for (int64_t i = threadIdx.x; i < n; i += blockDim.x) sum += along[i];
  sum = block_reduce<Sum>(sum);
  if (threadIdx.x == 0) store(dlog_scale, sum);
}

}  // namespace limoe::cuda
