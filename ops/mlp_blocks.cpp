#include "ops/mlp_blocks.h"

#include <algorithm>
#include <optional>
#include <type_traits>
#include <vector>

#include "ops/eigen_maps.h"
#include "ops/gelu_rows.h"
#include "ops/gemm.h"
#include "ops/mlp_amx.h"
#include "ops/row_sums.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"

namespace limoe {
namespace {

constexpr int64_t kMostKernel = 1 << 16;  // elements of one kernel
constexpr int64_t kMostBlock = 3 << 15;   // elements of a block's hidden layer

// Rows over which an expert's gradients are summed by themselves, as gemm() cuts a long k. Each run writes as
// many numbers as the expert has weights, and they are read once more to be added up, so a few rows are one.
constexpr int64_t kLeastRun = 512, kMostRuns = 16, kLeastRowsToCut = 4 * kLeastRun;

struct Piece {
  int64_t expert, begin, end;  // rows
};

int64_t rows_of_block(const MlpSizes& sizes) {
  return std::clamp<int64_t>(kMostBlock / std::max<int64_t>(sizes.hidden, 1) / 32 * 32, 32, 256);
}

bool goes_by_tiles(const MlpSizes& sizes) {
  return sizes.precision == MatmulPrecision::bf16 && bf16_products_are_fast();
}

// `rows` in pieces of `length`, the last one shorter.
void cut(const Piece& rows, int64_t length, std::vector<Piece>& pieces) {
  for (int64_t begin = rows.begin; begin < rows.end; begin += length)
    pieces.push_back({rows.expert, begin, std::min(begin + length, rows.end)});
}

int64_t rows_of_run(int64_t rows) {
  return rows < kLeastRowsToCut ? rows : std::max(kLeastRun, run_count(rows, kMostRuns));
}

template <class Body>
void for_each(const std::vector<Piece>& pieces, const Body& body) {
  parallel_for(int64_t(pieces.size()), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) body(pieces[size_t(i)], i);
  });
}

// The weights of one expert.
template <class T>
MlpParts<T> of_expert(const MlpParts<T>& all, int64_t expert, const MlpSizes& sizes) {
  return {all.up + expert * sizes.inputs * sizes.hidden, all.up_bias + expert * sizes.hidden,
          all.down + expert * sizes.hidden * sizes.outputs, all.down_bias + expert * sizes.outputs};
}

int64_t numbers_of_expert(const MlpSizes& sizes) {
  return (sizes.inputs + 1) * sizes.hidden + (sizes.hidden + 1) * sizes.outputs;
}

// One expert's weights one behind the other.
template <class T>
MlpParts<T> parts_in(T* memory, const MlpSizes& sizes) {
  T* const up_bias = memory + sizes.inputs * sizes.hidden;
  T* const down = up_bias + sizes.hidden;
  return {memory, up_bias, down, down + sizes.hidden * sizes.outputs};
}

// body(part, length) for the four parts of `a`, and what lies at the same place in `b`.
template <class T, class Body>
void for_each_part(const MlpParts<T>& a, const MlpParts<T>& b, const MlpSizes& sizes, const Body& body) {
  body(a.up, b.up, sizes.inputs * sizes.hidden);
  body(a.up_bias, b.up_bias, sizes.hidden);
  body(a.down, b.down, sizes.hidden * sizes.outputs);
  body(a.down_bias, b.down_bias, sizes.outputs);
}

// One run, block by block; what the weights' gradients held is written over.
template <class T>
void backward_run(const T* x, const T* hidden, const MlpParts<const T>& weights, const T* dy,
                  const MlpSizes& sizes, const Piece& run, T* dx, const MlpParts<T>& sums) {
  const auto [experts, inputs, width, outputs, precision] = sizes;
  const MlpParts<const T> own = of_expert(weights, run.expert, sizes);
  std::vector<Piece> blocks;
  cut(run, rows_of_block(sizes), blocks);
  const int64_t longest = rows_of_block(sizes);  // however few there are: routing changes, and memory is found again
  Tensor values = empty({longest, width}, dtype_of<T>), slopes = empty({longest, width}, dtype_of<T>);
  T *const value = values.mutable_data<T>(), *const gradient = slopes.mutable_data<T>();
  std::fill_n(sums.up_bias, width, T(0));
  std::fill_n(sums.down_bias, outputs, T(0));
  for (const Piece& block : blocks) {
    const int64_t count = block.end - block.begin;
    const T beta = block.begin == run.begin ? T(0) : T(1);
    const T *const dy_rows = dy + block.begin * outputs, *const x_rows = x + block.begin * inputs;
    gemm_on_this_thread<T>(count, width, outputs, {dy_rows, outputs}, {own.down, outputs, true}, T(0),
                           gradient, width, nullptr, precision);
    gelu_both_rows(hidden + block.begin * width, value, gradient, count * width);
    gemm_on_this_thread<T>(width, outputs, count, {value, width, true}, {dy_rows, outputs}, beta, sums.down,
                           outputs, nullptr, precision);
    gemm_on_this_thread<T>(inputs, width, count, {x_rows, inputs, true}, {gradient, width}, beta, sums.up,
                           width, nullptr, precision);
    add_rows(gradient, count, width, sums.up_bias);
    add_rows(dy_rows, count, outputs, sums.down_bias);
    gemm_on_this_thread<T>(count, inputs, width, {gradient, width}, {own.up, width, true}, T(0),
                           dx + block.begin * inputs, inputs, nullptr, precision);
  }
}

// to = the sum of `runs` sets of numbers, in order.
template <class T>
void sum_runs(const T* from, int64_t runs, int64_t apart, T* to, int64_t length) {
  parallel_for(length, kElementsPerRun, [=](int64_t begin, int64_t end) {
    auto sum = as_row(to + begin, end - begin);
    sum.setZero();
    for (int64_t run = 0; run < runs; ++run) sum += as_row(from + run * apart + begin, end - begin);
  });
}

}  // namespace

bool mlp_fits_blocks(const MlpSizes& sizes) {
  return std::max(sizes.inputs, sizes.outputs) * sizes.hidden <= kMostKernel;
}

template <class T>
void mlp_forward_by_blocks(const T* x, const MlpParts<const T>& weights, const int32_t* row_begin,
                           const MlpSizes& sizes, T* hidden, T* y) {
  const auto [experts, inputs, width, outputs, precision] = sizes;
  std::vector<Piece> blocks;
  for (int64_t expert = 0; expert < experts; ++expert)
    cut({expert, row_begin[expert], row_begin[expert + 1]}, rows_of_block(sizes), blocks);
  if constexpr (std::is_same_v<T, float>)
    if (goes_by_tiles(sizes)) {
      const detail::MlpTiles tiles(weights, sizes, detail::MlpPass::forward);
      return for_each(blocks, [&](const Piece& block, int64_t) {
        tiles.forward(block.expert, block.end - block.begin, x + block.begin * sizes.inputs,
                      hidden + block.begin * sizes.hidden, y + block.begin * sizes.outputs);
      });
    }
  for_each(blocks, [&](const Piece& block, int64_t) {
    const int64_t count = block.end - block.begin;
    const MlpParts<const T> own = of_expert(weights, block.expert, sizes);
    T* const before = hidden + block.begin * sizes.hidden;
    Tensor values = empty({rows_of_block(sizes), sizes.hidden}, dtype_of<T>);
    T* const value = values.mutable_data<T>();
    gemm_on_this_thread<T>(count, sizes.hidden, sizes.inputs, {x + block.begin * sizes.inputs, sizes.inputs},
                           {own.up, sizes.hidden}, T(0), before, sizes.hidden, own.up_bias, sizes.precision);
    gelu_forward_rows(before, value, count * sizes.hidden);
    gemm_on_this_thread<T>(count, sizes.outputs, sizes.hidden, {value, sizes.hidden},
                           {own.down, sizes.outputs}, T(0), y + block.begin * sizes.outputs, sizes.outputs,
                           own.down_bias, sizes.precision);
  });
}

template <class T>
void mlp_backward_by_blocks(const T* x, const T* hidden, const MlpParts<const T>& weights,
                            const int32_t* row_begin, const T* dy, const MlpSizes& sizes, T* dx,
                            const MlpParts<T>& gradients) {
  std::vector<Piece> runs;
  std::vector<int64_t> first_run;  // by expert, and the end
  for (int64_t expert = 0; expert < sizes.experts; ++expert) {
    first_run.push_back(int64_t(runs.size()));
    const Piece rows{expert, row_begin[expert], row_begin[expert + 1]};
    cut(rows, rows_of_run(rows.end - rows.begin), runs);
  }
  first_run.push_back(int64_t(runs.size()));
  const auto runs_of = [&](int64_t expert) { return first_run[expert + 1] - first_run[expert]; };
  // An expert's only run is summed where the result belongs.
  const int64_t numbers = numbers_of_expert(sizes);
  bool any_cut = false;
  for (int64_t expert = 0; expert < sizes.experts; ++expert) any_cut = any_cut || runs_of(expert) > 1;
  Tensor partials = empty({any_cut ? int64_t(runs.size()) : 0, numbers}, dtype_of<T>);
  T* const partial = partials.mutable_data<T>();
  std::optional<detail::MlpTiles> tiles;
  if constexpr (std::is_same_v<T, float>)
    if (goes_by_tiles(sizes)) tiles.emplace(weights, sizes, detail::MlpPass::backward);
  for_each(runs, [&](const Piece& run, int64_t i) {
    const MlpParts<T> sums = runs_of(run.expert) > 1 ? parts_in(partial + i * numbers, sizes)
                                                     : of_expert(gradients, run.expert, sizes);
    if constexpr (std::is_same_v<T, float>)
      if (tiles)
        return tiles->backward(run.expert, run.end - run.begin, rows_of_block(sizes),
                               x + run.begin * sizes.inputs, hidden + run.begin * sizes.hidden,
                               dy + run.begin * sizes.outputs, dx + run.begin * sizes.inputs, sums);
    backward_run(x, hidden, weights, dy, sizes, run, dx, sums);
  });
  for (int64_t expert = 0; expert < sizes.experts; ++expert)
    if (runs_of(expert) != 1)
      for_each_part(of_expert(gradients, expert, sizes),
                    parts_in(partial + first_run[expert] * numbers, sizes), sizes,
                    [&](T* to, const T* from, int64_t length) {
                      sum_runs(from, runs_of(expert), numbers, to, length);
                    });
}

#define LIMOE_MLP_BLOCKS(T)                                                                                \
  template void mlp_forward_by_blocks(const T*, const MlpParts<const T>&, const int32_t*, const MlpSizes&, \
                                      T*, T*);                                                             \
  template void mlp_backward_by_blocks(const T*, const T*, const MlpParts<const T>&, const int32_t*,       \
                                       const T*, const MlpSizes&, T*, const MlpParts<T>&);
LIMOE_MLP_BLOCKS(float)
LIMOE_MLP_BLOCKS(double)
#undef LIMOE_MLP_BLOCKS

}  // namespace limoe
