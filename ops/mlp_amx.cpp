#include "ops/mlp_amx.h"

#include "tensor/error.h"

#if defined(__AVX512BW__) && defined(__linux__)

#include <algorithm>

#include "ops/amx_multiply.h"
#include "ops/gelu_rows.h"
#include "ops/row_sums.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"

namespace limoe::detail {
namespace {

int64_t filled_up(int64_t length, int64_t unit) {
  return run_count(length, unit) * unit;
}

// Elements in the tiles of a matrix of `lines` by `depth` of k.
int64_t tiled_size(int64_t lines, int64_t depth) {
  return filled_up(lines, kSide) * filled_up(depth, kDepth);
}

int64_t steps_of(int64_t depth) {
  return run_count(depth, kDepth);
}

// Matrices of which a line (a row of the left factor, a column of the right one) lies in a row of memory, or
// in a column.
Source along_k(const float* data, int64_t stride, int64_t lines, int64_t depth) {
  return {data, stride, true, lines, depth};
}
Source across_k(const float* data, int64_t stride, int64_t lines, int64_t depth) {
  return {data, stride, false, lines, depth};
}

Tensor floats(int64_t count) {
  return empty({count}, DType::f32);
}
Tensor tiles(int64_t elements) {
  return empty({elements}, DType::bf16);
}

// Registers of 16 columns; `lanes` of them lie in memory, the others are 0.
inline FloatRegister load_some(const float* from, int64_t lanes) {
  return lanes >= kFloatLanes ? load_register(from) : lanes > 0 ? load_lanes(from, lanes) : FloatRegister{};
}
inline void store_some(float* to, FloatRegister x, int64_t lanes) {
  if (lanes >= kFloatLanes)
    store_register(to, x);
  else if (lanes > 0)
    store_lanes(to, x, lanes);
}

// 32 elements of a row of A, neighbours along k.
LIMOE_TILES inline void store_row(bf16* to, FloatRegister low, FloatRegister high) {
  _mm512_store_si512(to, (__m512i)_mm512_cvtne2ps_pbh((__m512)high, (__m512)low));
}

// 16 pairs of rows 2q and 2q + 1 of B.
LIMOE_TILES inline void store_pairs(bf16* to, FloatRegister even, FloatRegister odd) {
  _mm512_store_si512(to, pairs_of((__m512)even, (__m512)odd));
}

// A row before gelu, filled up with zeros to whole steps of k: kept as it is, [width], and through gelu as a
// row of a left factor's tiles. kWhole: nothing had to be filled up.
template <bool kWhole>
LIMOE_TILES void gelu_row(const float* before, float* kept, int64_t width, bf16* tiles) {
  for (int64_t j = 0; j < width; j += kDepth) {
    const FloatRegister low = load_register(before + j), high = load_register(before + j + kFloatLanes);
    if (kWhole) {
      store_register(kept + j, low);
      store_register(kept + j + kFloatLanes, high);
    } else {
      store_some(kept + j, low, width - j);
      store_some(kept + j + kFloatLanes, high, width - j - kFloatLanes);
    }
    store_row(tiles + j * kSide, gelu_register(low), gelu_register(high));
  }
}

// 32 rows of a hidden layer, of which `rows` are there.
struct GeluStrip {
  const float* before;    // [rows, width]
  const float* gradient;  // [32, wide]: of what gelu gave
  float* sums;            // [width], to which gradients before gelu are added
  int64_t width, wide, rows;
};

// Columns j .. j + 31: the gradient before gelu as tiles of a left factor, `left_apart` elements apart,
// gelu's values and that gradient as tiles of right factors, `right_apart` apart. kWhole: all of it is in
// memory.
template <bool kWhole>
LIMOE_TILES void gelu_columns(const GeluStrip& of, int64_t j, bf16* left, int64_t left_apart, bf16* values,
                              bf16* gradients, int64_t right_apart) {
  const auto load = [](const float* from, int64_t lanes) {
    return kWhole ? load_register(from) : load_some(from, lanes);
  };
  FloatRegister low_sum = load(of.sums + j, of.width - j),
                high_sum = load(of.sums + j + kFloatLanes, of.width - j - kFloatLanes);
  const auto gelu = [&](int64_t row, int64_t column) {
    const int64_t lanes = row < of.rows ? of.width - column : 0;
    return gelu_registers(load(of.before + row * of.width + column, lanes),
                          load(of.gradient + row * of.wide + column, lanes));
  };
  for (int64_t row = 0; row < kDepth; row += 2) {
    for (const int64_t later : {row + kDepth, row + kDepth + 1})  // of the next 32 rows
      for (const int64_t column : {j, j + kFloatLanes})
        __builtin_prefetch(of.before + later * of.width + column);
    const GeluRegisters even_low = gelu(row, j), even_high = gelu(row, j + kFloatLanes);
    const GeluRegisters odd_low = gelu(row + 1, j), odd_high = gelu(row + 1, j + kFloatLanes);
    low_sum += even_low.dx;
    low_sum += odd_low.dx;
    high_sum += even_high.dx;
    high_sum += odd_high.dx;
    bf16* const line = left + row / kSide * left_apart + row % kSide * kDepth;
    store_row(line, even_low.dx, even_high.dx);
    store_row(line + kDepth, odd_low.dx, odd_high.dx);
    const int64_t pair = row / 2 * kDepth;
    store_pairs(values + pair, even_low.y, odd_low.y);
    store_pairs(values + right_apart + pair, even_high.y, odd_high.y);
    store_pairs(gradients + pair, even_low.dx, odd_low.dx);
    store_pairs(gradients + right_apart + pair, even_high.dx, odd_high.dx);
  }
  store_some(of.sums + j, low_sum, of.width - j);
  store_some(of.sums + j + kFloatLanes, high_sum, of.width - j - kFloatLanes);
}

// to [columns, rows] = from [rows, columns].
LIMOE_TILES void copy_transposed(const float* from, int64_t from_stride, int64_t rows, int64_t columns,
                                 float* to) {
  for (int64_t row = 0; row < rows; row += kSide)
    for (int64_t column = 0; column < columns; column += kSide) {
      const int64_t height = std::min(kSide, rows - row), width = std::min(kSide, columns - column);
      __m512i lines[kSide];
      for (int64_t i = 0; i < kSide; ++i)
        lines[i] = (__m512i)(i < height ? load_some(from + (row + i) * from_stride + column, width)
                                        : FloatRegister{});
      transpose(lines);
      for (int64_t i = 0; i < width; ++i)
        store_some(to + (column + i) * rows + row, (FloatRegister)lines[i], height);
    }
}

}  // namespace

MlpTiles::MlpTiles(const MlpParts<const float>& weights, const MlpSizes& sizes, MlpPass pass)
    : weights_(weights), sizes_(sizes), wide_(filled_up(sizes.hidden, kDepth)) {
  const auto [experts, inputs, hidden, outputs, precision] = sizes;
  const bool backward = pass == MlpPass::backward;
  first_size_ = tiled_size(hidden, backward ? outputs : inputs);
  second_size_ = tiled_size(backward ? inputs : outputs, hidden);
  first_ = tiles(experts * first_size_);
  second_ = tiles(experts * second_size_);
  bf16 *const first = first_.mutable_data<bf16>(), *const second = second_.mutable_data<bf16>();
  parallel_for(2 * experts, 1, [&](int64_t i, int64_t) {
    const int64_t expert = i / 2, of_up = sizes_.inputs * sizes_.hidden,
                  of_down = sizes_.hidden * sizes_.outputs;
    const float *const up = weights_.up + expert * of_up, *const down = weights_.down + expert * of_down;
    const bool is_first = i % 2 == 0;
    bf16* const to = is_first ? first + expert * first_size_ : second + expert * second_size_;
    if (backward)
      pack(is_first ? along_k(down, sizes_.outputs, sizes_.hidden, sizes_.outputs)
                    : along_k(up, sizes_.hidden, sizes_.inputs, sizes_.hidden),
           false, to);
    else
      pack(is_first ? across_k(up, sizes_.hidden, sizes_.hidden, sizes_.inputs)
                    : across_k(down, sizes_.outputs, sizes_.outputs, sizes_.hidden),
           false, to);
  });
}

void MlpTiles::forward(int64_t expert, int64_t rows, const float* x, float* hidden, float* y) const {
  const int64_t inputs = sizes_.inputs, width = sizes_.hidden, outputs = sizes_.outputs;
  Tensor strip_memory = zeros({kBlockSide * wide_}, DType::f32), bias_memory = zeros({wide_}, DType::f32),
         x_memory = tiles(tiled_size(kBlockSide, inputs)), value_memory = tiles(kBlockSide * wide_);
  float *const strip = strip_memory.mutable_data<float>(), *const bias = bias_memory.mutable_data<float>();
  bf16 *const x_tiles = x_memory.mutable_data<bf16>(), *const value = value_memory.mutable_data<bf16>();
  std::copy_n(weights_.up_bias + expert * width, width, bias);
  configure_tiles();
  for (int64_t begin = 0; begin < rows; begin += kBlockSide) {
    const int64_t count = std::min(kBlockSide, rows - begin);
    pack(along_k(x + begin * inputs, inputs, count, inputs), true, x_tiles);
    multiply_blocks(filled_up(count, kSide), filled_up(width, kSide),
                    {.a = x_tiles,
                     .b = first_kernel(expert),
                     .steps = steps_of(inputs),
                     .start = bias,
                     .c = strip,
                     .c_stride = wide_});
    for (int64_t row = 0; row < count; ++row)
      (width == wide_ ? gelu_row<true>
                      : gelu_row<false>)(strip + row * wide_, hidden + (begin + row) * width, width,
                                         value + row / kSide * kSide * wide_ + row % kSide * kDepth);
    multiply_blocks(count, outputs,
                    {.a = value,
                     .b = second_kernel(expert),
                     .steps = steps_of(width),
                     .start = weights_.down_bias + expert * outputs,
                     .c = y + begin * outputs,
                     .c_stride = outputs});
  }
  release_tiles();
}

struct MlpTiles::Scratch {
  float* strip;              // [32, wide]: the gradient of the hidden layer after gelu
  bf16* dy;                  // the strip's, left factor
  bf16* gradient;            // the strip's, before gelu, left factor
  int64_t steps;             // of k in a block, 32 rows each
  bf16 *values, *gradients;  // of the block, right factors
};

// One step of k of the block. up_bias is added to.
void MlpTiles::backward_strip(int64_t expert, int64_t rows, int64_t k_step, const float* hidden,
                              const float* dy, float* dx, float* up_bias, const Scratch& scratch) const {
  const int64_t width = sizes_.hidden, outputs = sizes_.outputs;
  pack(along_k(dy, outputs, rows, outputs), true, scratch.dy);
  multiply_blocks(filled_up(rows, kSide), filled_up(width, kSide),
                  {.a = scratch.dy,
                   .b = first_kernel(expert),
                   .steps = steps_of(outputs),
                   .c = scratch.strip,
                   .c_stride = wide_});
  const GeluStrip gelu{hidden, scratch.strip, up_bias, width, wide_, rows};
  const auto columns = rows == kDepth && width == wide_ ? &gelu_columns<true> : &gelu_columns<false>;
  for (int64_t j = 0; j < wide_; j += kDepth) {
    const int64_t tile = j / kSide * scratch.steps + k_step;
    columns(gelu, j, scratch.gradient + j * kSide, kSide * wide_, scratch.values + tile * kTileElements,
            scratch.gradients + tile * kTileElements, scratch.steps * kTileElements);
  }
  multiply_blocks(rows, sizes_.inputs,
                  {.a = scratch.gradient,
                   .b = second_kernel(expert),
                   .steps = steps_of(width),
                   .c = dx,
                   .c_stride = sizes_.inputs});
}

void MlpTiles::backward(int64_t expert, int64_t rows, int64_t block_rows, const float* x, const float* hidden,
                        const float* dy, float* dx, const MlpParts<float>& sums) const {
  const int64_t inputs = sizes_.inputs, width = sizes_.hidden, outputs = sizes_.outputs;
  const int64_t longest = std::min(filled_up(rows, kDepth), block_rows);
  Tensor strip = zeros({kBlockSide * wide_}, DType::f32), down_transposed = floats(outputs * wide_),
         dy_memory = tiles(tiled_size(kBlockSide, outputs)), gradient = tiles(kBlockSide * wide_),
         values = tiles(longest * wide_), gradients = tiles(longest * wide_),
         turned = tiles(tiled_size(std::max(inputs, outputs), longest));
  Scratch scratch{.strip = strip.mutable_data<float>(),
                  .dy = dy_memory.mutable_data<bf16>(),
                  .gradient = gradient.mutable_data<bf16>(),
                  .steps = 0,
                  .values = values.mutable_data<bf16>(),
                  .gradients = gradients.mutable_data<bf16>()};
  float* const down = down_transposed.mutable_data<float>();
  bf16* const left = turned.mutable_data<bf16>();
  std::fill_n(sums.up_bias, width, 0.0f);
  std::fill_n(sums.down_bias, outputs, 0.0f);
  configure_tiles();
  for (int64_t begin = 0; begin < rows; begin += block_rows) {
    const int64_t count = std::min(block_rows, rows - begin);
    const float *const x_rows = x + begin * inputs, *const dy_rows = dy + begin * outputs;
    scratch.steps = steps_of(count);
    for (int64_t row = 0; row < count; row += kDepth)
      backward_strip(expert, std::min(kDepth, count - row), row / kDepth, hidden + (begin + row) * width,
                     dy_rows + row * outputs, dx + (begin + row) * inputs, sums.up_bias, scratch);
    add_rows(dy_rows, count, outputs, sums.down_bias);
    pack(across_k(dy_rows, outputs, outputs, count), true, left);
    multiply_blocks(outputs, width,
                    {.a = left,
                     .b = scratch.values,
                     .steps = scratch.steps,
                     .start = begin > 0 ? down : nullptr,
                     .start_stride = wide_,
                     .c = down,
                     .c_stride = wide_});
    pack(across_k(x_rows, inputs, inputs, count), true, left);
    multiply_blocks(inputs, width,
                    {.a = left,
                     .b = scratch.gradients,
                     .steps = scratch.steps,
                     .start = begin > 0 ? sums.up : nullptr,
                     .start_stride = width,
                     .c = sums.up,
                     .c_stride = width});
  }
  release_tiles();
  copy_transposed(down, wide_, outputs, width, sums.down);
}

}  // namespace limoe::detail

#else

namespace limoe::detail {

MlpTiles::MlpTiles(const MlpParts<const float>& weights, const MlpSizes& sizes, MlpPass)
    : weights_(weights), sizes_(sizes), wide_(0) {
  throw ValueError("mlp: this processor has no matrix tiles");
}
void MlpTiles::forward(int64_t, int64_t, const float*, float*, float*) const {}
void MlpTiles::backward(int64_t, int64_t, int64_t, const float*, const float*, const float*, float*,
                        const MlpParts<float>&) const {}

}  // namespace limoe::detail

#endif
