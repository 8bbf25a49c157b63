#include "cuda/cudnn_choice.h"
#include "cuda/layer_norm.h"
#include "cuda/row_groups.cuh"
#include "cuda/vendor_cudnn.h"
#include "cuda/warp_row.cuh"

namespace limoe::cuda {
namespace {

constexpr int kWarps = 4;

// What the warp's row adds up to when every lane gives `value`.
__device__ inline float mean_of(float value, int64_t width) {
  return warp_reduce<Sum>(value) / float(width);
}

}  // namespace

// A warp for every row, held in registers.
template <class T, int kValues>
__global__ void layer_norm_forward_kernel(LayerNormForward<T> of, float epsilon, Rows rows) {
  using Row = WarpRow<T, kValues>;
  const int64_t row = int64_t(blockIdx.x) * kWarps + warp_index(), width = rows.width;
  if (row >= rows.count) return;
  float x[kValues];
  Row::load_row(of.x + row * width, width, x);
  if (of.addend) {
    float addend[kValues];
    Row::load_row(of.addend + row * width, width, addend);
    // Rounded as it is stored, so that the backward pass normalises the same numbers.
    Row::store_row(of.sum + row * width, width, [&](int, int i) {
      T rounded;
      store(&rounded, x[i] + addend[i]);
      return x[i] = load(&rounded);
    });
  }
  float sum = 0, squares = 0;
  Row::for_each(width, [&](int, int i) { sum += x[i]; });
  const float mean = mean_of(sum, width);
  Row::for_each(width, [&](int, int i) {
    x[i] -= mean;
    squares += x[i] * x[i];
  });
  const float rstd = 1.0f / sqrtf(mean_of(squares, width) + epsilon);
  if (lane_index() == 0) {
    of.mean[row] = mean;
    of.rstd[row] = rstd;
  }
  Row::for_each_pack(width, [&](int column, int value) {
    const Packed<T> scale = load_packed(of.scale + column), bias = load_packed(of.bias + column);
    Packed<T> y;
#pragma unroll
    for (int i = 0; i < Row::kCount; ++i) y.set(i, x[value + i] * rstd * scale[i] + bias[i]);
    store_packed(of.y + row * width + column, y);
  });
}

// A group of lanes for every row, which is read three times.
template <class T>
__global__ void layer_norm_forward_any_kernel(LayerNormForward<T> of, float epsilon, Rows rows, int lanes) {
  const RowGroup group(rows, lanes);
  const T* const x = of.addend ? of.sum : of.x;
  if (of.addend)
    group.for_each_column([&](int64_t at) { store(of.sum + at, load(of.x + at) + load(of.addend + at)); });
  const float share = 1.0f / float(rows.width);
  float sum = 0, squares = 0;
  group.for_each_column([&](int64_t at) { sum += load(x + at); });
  const float mean = group_reduce<Sum>(sum, lanes) * share;
  group.for_each_column([&](int64_t at) { squares += (load(x + at) - mean) * (load(x + at) - mean); });
  const float rstd = 1.0f / sqrtf(group_reduce<Sum>(squares, lanes) * share + epsilon);
  if (group.lane == 0 && group.row < rows.count) {
    of.mean[group.row] = mean;
    of.rstd[group.row] = rstd;
  }
  group.for_each_column([&](int64_t at) {
    const int64_t column = at - group.begin;
    store(of.y + at, (load(x + at) - mean) * rstd * load(of.scale + column) + load(of.bias + column));
  });
}

template <class T>
void layer_norm_forward(Stream stream, const LayerNormForward<T>& of, float epsilon, Rows rows) {
  if (rows.count == 0) return;
  if (cudnn_chosen(CudnnOp::layer_norm) && cudnn_layer_norm_forward(stream, of, epsilon, rows)) return;
  const auto in_registers = [&]<int kValues>() {
    launch<layer_norm_forward_kernel<T, kValues>>(
        stream, {.grid = {blocks_for(rows.count, kWarps)}, .block = kWarps * kWarpSize}, of, epsilon, rows);
  };
  if (!with_warp_row<T>(rows.width, in_registers, of.x, of.y, of.scale, of.bias, of.addend, of.sum))
    launch<layer_norm_forward_any_kernel<T>>(stream, row_groups_shape(rows), of, epsilon, rows,
                                             lanes_of_row(rows.width));
}

template void layer_norm_forward(Stream, const LayerNormForward<float>&, float, Rows);
template void layer_norm_forward(Stream, const LayerNormForward<bf16>&, float, Rows);

}  // namespace limoe::cuda
