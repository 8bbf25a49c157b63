#include "cuda/column_sums.h"
#include "cuda/cudnn_choice.h"
#include "cuda/layer_norm.h"
#include "cuda/row_groups.cuh"
#include "cuda/vendor_cudnn.h"
#include "cuda/warp_row.cuh"

namespace limoe::cuda {
namespace {

constexpr int kWarps = 4;
constexpr int64_t kLeastRowsOfABlock = 4 * kWarps;
constexpr int64_t kMostBlocksOfRows = 512;

}  // namespace

int64_t layer_norm_partial_rows(Rows rows) {
  const int64_t blocks = blocks_for(rows.count, kLeastRowsOfABlock);
  return blocks < kMostBlocksOfRows ? blocks : kMostBlocksOfRows;
}

// Adds up what the warps of a block hold of one parameter's gradient and writes it to sums [width].
template <class T, int kValues>
__device__ inline void write_block_sums(const float (&mine)[kValues], float* of_warp, float* sums,
                                        int64_t width) {
  WarpRow<T, kValues>::for_each(width,
                                [&](int column, int i) { of_warp[warp_index() * width + column] = mine[i]; });
  __syncthreads();
  for (int64_t column = threadIdx.x; column < width; column += kWarps * kWarpSize) {
    float sum = 0;
    for (int warp = 0; warp < kWarps; ++warp) sum += of_warp[warp * width + column];
    sums[column] = sum;
  }
  __syncthreads();
}

// A warp takes the rows w, w + all warps, ... in registers: dx, and its part of dscale and dbias.
template <class T, int kValues>
__global__ void layer_norm_backward_kernel(LayerNormBackward<T> of, Rows rows) {
  using Row = WarpRow<T, kValues>;
  float dscale[kValues] = {}, dbias[kValues] = {};
  const int64_t width = rows.width;
  for (int64_t row = int64_t(blockIdx.x) * kWarps + warp_index(); row < rows.count;
       row += int64_t(gridDim.x) * kWarps) {
    float normalized[kValues], scaled[kValues];
    Row::load_row(of.x + row * width, width, normalized);
    Row::load_row(of.dy + row * width, width, scaled);
    const float mean = of.mean[row], rstd = of.rstd[row];
    float sum = 0, product = 0;
    Row::for_each(width, [&](int column, int i) {
      normalized[i] = (normalized[i] - mean) * rstd;
      dscale[i] += scaled[i] * normalized[i];
      dbias[i] += scaled[i];
      scaled[i] *= load(of.scale + column);
      sum += scaled[i];
      product += scaled[i] * normalized[i];
    });
    const float average = warp_reduce<Sum>(sum) / float(width);
    const float along = warp_reduce<Sum>(product) / float(width);
    Row::for_each(width,
                  [&](int, int i) { scaled[i] = rstd * (scaled[i] - average - normalized[i] * along); });
    if (of.dsum) {
      Row::load_row(of.dsum + row * width, width, normalized);
      Row::for_each(width, [&](int, int i) { scaled[i] += normalized[i]; });
    }
    Row::store_row(of.dx + row * width, width, [&](int, int i) { return scaled[i]; });
  }
  float* const of_warp = dynamic_shared<float>();  // [warps, width]
  float* const sums = of.partials + int64_t(blockIdx.x) * 2 * width;
  write_block_sums<T>(dscale, of_warp, sums, width);
  write_block_sums<T>(dbias, of_warp, sums + width, width);
}

// A group of lanes for every row: dx alone.
template <class T>
__global__ void layer_norm_backward_rows_kernel(LayerNormBackward<T> of, Rows rows, int lanes) {
  const RowGroup group(rows, lanes);
  const bool is_row = group.row < rows.count;
  const float mean = is_row ? of.mean[group.row] : 0, rstd = is_row ? of.rstd[group.row] : 0;
  const auto normalized = [&](int64_t at) { return (load(of.x + at) - mean) * rstd; };
  const auto scaled = [&](int64_t at) { return load(of.dy + at) * load(of.scale + at - group.begin); };
  float sum = 0, product = 0;
  group.for_each_column([&](int64_t at) {
    sum += scaled(at);
    product += scaled(at) * normalized(at);
  });
  const float average = group_reduce<Sum>(sum, lanes) / float(rows.width);
  const float along = group_reduce<Sum>(product, lanes) / float(rows.width);
  group.for_each_column([&](int64_t at) {
    const float past = of.dsum ? load(of.dsum + at) : 0;
    store(of.dx + at, rstd * (scaled(at) - average - normalized(at) * along) + past);
  });
}

// Block (strip of 32 columns, run of rows): warp w takes rows w, w + warps, ... of the run.
template <class T>
__global__ void layer_norm_backward_columns_kernel(LayerNormBackward<T> of, int64_t rows_per_run, Rows rows) {
  float* const of_warp = dynamic_shared<float>();  // [2 warps, 32]: dscale, then dbias
  const int64_t column = int64_t(blockIdx.x) * kWarpSize + threadIdx.x;
  const int64_t begin = blockIdx.y * rows_per_run;
  const int64_t end = begin + rows_per_run < rows.count ? begin + rows_per_run : rows.count;
  float dscale = 0, dbias = 0;
  if (column < rows.width)
    for (int64_t row = begin + threadIdx.y; row < end; row += kWarps) {
      const float dy = load(of.dy + row * rows.width + column);
      dscale += dy * ((load(of.x + row * rows.width + column) - of.mean[row]) * of.rstd[row]);
      dbias += dy;
    }
  of_warp[threadIdx.y * kWarpSize + threadIdx.x] = dscale;
  of_warp[(kWarps + threadIdx.y) * kWarpSize + threadIdx.x] = dbias;
  __syncthreads();
  if (threadIdx.y != 0 || column >= rows.width) return;
  for (int warp = 1; warp < kWarps; ++warp) {
    dscale += of_warp[warp * kWarpSize + threadIdx.x];
    dbias += of_warp[(kWarps + warp) * kWarpSize + threadIdx.x];
  }
  of.partials[int64_t(blockIdx.y) * 2 * rows.width + column] = dscale;
  of.partials[(int64_t(blockIdx.y) * 2 + 1) * rows.width + column] = dbias;
}

template <class T>
void layer_norm_backward(Stream stream, const LayerNormBackward<T>& of, Rows rows) {
  if (cudnn_chosen(CudnnOp::layer_norm) && cudnn_layer_norm_backward(stream, of, rows)) return;
  const int64_t blocks = layer_norm_partial_rows(rows);
  const auto in_registers = [&]<int kValues>() {
    if (blocks == 0) return;
    launch<layer_norm_backward_kernel<T, kValues>>(
        stream,
        {.grid = {blocks},
         .block = kWarps * kWarpSize,
         .shared_bytes = kWarps * size_t(rows.width) * sizeof(float)},
        of, rows);
  };
  if (!with_warp_row<T>(rows.width, in_registers, of.x, of.dy, of.dx, of.dsum) && blocks > 0) {
    launch<layer_norm_backward_rows_kernel<T>>(stream, row_groups_shape(rows), of, rows,
                                               lanes_of_row(rows.width));
    launch<layer_norm_backward_columns_kernel<T>>(stream,
                                                  {.grid = {blocks_for(rows.width, kWarpSize), blocks},
                                                   .block = kWarpSize,
                                                   .block_y = kWarps,
                                                   .shared_bytes = 2 * kWarps * kWarpSize * sizeof(float)},
                                                  of, blocks_for(rows.count, blocks), rows);
  }
  sum_runs(stream, of.partials, of.dparameters, blocks, 2 * rows.width);
}

template void layer_norm_backward(Stream, const LayerNormBackward<float>&, Rows);
template void layer_norm_backward(Stream, const LayerNormBackward<bf16>&, Rows);

}  // namespace limoe::cuda
