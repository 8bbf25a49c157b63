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

// What goes back through an MLP besides the weights: of rows, or of tokens that rows are gathered from.
template <class T>
struct Backward {
  const T *x, *hidden, *dy;
  T* dx;
  TokenRows<T> tokens;
  const T* y;  // of tokens
  T* dgates;

  // That of the rows from `row` on. What belongs to tokens is not moved.
  Backward from(int64_t row, const MlpSizes& sizes) const {
    const T* const hidden_rows = hidden + row * sizes.hidden;
    if (tokens) return {x, hidden_rows, dy, dx, tokens.from(row), y + row * sizes.outputs, dgates};
    return {x + row * sizes.inputs,
            hidden_rows,
            dy + row * sizes.outputs,
            dx + row * sizes.inputs,
            {},
            y,
            dgates};
  }
};

// body(x, dy, dx) on `count` rows side by side: those that there are, or copies of tokens' that go back to
// them. `room` holds (2 inputs + outputs) numbers a row of them.
template <class T, class Body>
void with_rows(const Backward<T>& of, int64_t count, const MlpSizes& sizes, T* room, const Body& body) {
  if (!of.tokens) return body(of.x, of.dy, of.dx);
  T *const x = room, *const dx = x + count * sizes.inputs, *const dy = dx + count * sizes.inputs;
  gather_rows(of.tokens, of.x, count, sizes.inputs, x);
  gather_gated_gradient(of.tokens, of.dy, of.y, count, sizes.outputs, dy, of.dgates);
  body(static_cast<const T*>(x), static_cast<const T*>(dy), dx);
  scatter_rows(of.tokens, static_cast<const T*>(dx), count, sizes.inputs, of.dx);
}

template <class T>
Tensor room_for_rows(const TokenRows<T>& tokens, int64_t count, const MlpSizes& sizes) {
  return empty({tokens ? count * (2 * sizes.inputs + sizes.outputs) : 0}, dtype_of<T>);
}

// One run, block by block; what the weights' gradients held is written over.
template <class T>
void backward_run(const Backward<T>& of, const MlpParts<const T>& weights, const MlpSizes& sizes,
                  const Piece& run, const MlpParts<T>& sums) {
  const auto [experts, inputs, width, outputs, precision] = sizes;
  const MlpParts<const T> own = of_expert(weights, run.expert, sizes);
  std::vector<Piece> blocks;
  cut(run, rows_of_block(sizes), blocks);
  // However few rows there are: routing changes from step to step, and memory is found again.
  const int64_t longest = rows_of_block(sizes);
  Tensor values = empty({longest, width}, dtype_of<T>), slopes = empty({longest, width}, dtype_of<T>),
         rows = room_for_rows(of.tokens, longest, sizes);
  T *const value = values.mutable_data<T>(), *const gradient = slopes.mutable_data<T>();
  std::fill_n(sums.up_bias, width, T(0));
  std::fill_n(sums.down_bias, outputs, T(0));
  for (const Piece& block : blocks) {
    const int64_t count = block.end - block.begin;
    const T beta = block.begin == run.begin ? T(0) : T(1);
    const Backward<T> here = of.from(block.begin, sizes);
    with_rows(here, count, sizes, rows.mutable_data<T>(), [&](const T* x, const T* dy, T* dx) {
      gemm_on_this_thread<T>(count, width, outputs, {dy, outputs}, {own.down, outputs, true}, T(0), gradient,
                             width, nullptr, precision);
      gelu_both_rows(here.hidden, value, gradient, count * width);
      gemm_on_this_thread<T>(width, outputs, count, {value, width, true}, {dy, outputs}, beta, sums.down,
                             outputs, nullptr, precision);
      gemm_on_this_thread<T>(inputs, width, count, {x, inputs, true}, {gradient, width}, beta, sums.up, width,
                             nullptr, precision);
      add_rows(gradient, count, width, sums.up_bias);
      add_rows(dy, count, outputs, sums.down_bias);
      gemm_on_this_thread<T>(count, inputs, width, {gradient, width}, {own.up, width, true}, T(0), dx, inputs,
                             nullptr, precision);
    });
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
                           const MlpSizes& sizes, T* hidden, T* y, const TokenRows<T>& tokens, T* gated) {
  const auto [experts, inputs, width, outputs, precision] = sizes;
  std::vector<Piece> blocks;
  for (int64_t expert = 0; expert < experts; ++expert)
    cut({expert, row_begin[expert], row_begin[expert + 1]}, rows_of_block(sizes), blocks);
  std::optional<detail::MlpTiles> tiles;
  if constexpr (std::is_same_v<T, float>)
    if (goes_by_tiles(sizes)) tiles.emplace(weights, sizes, detail::MlpPass::forward);
  for_each(blocks, [&](const Piece& block, int64_t) {
    const int64_t count = block.end - block.begin, longest = rows_of_block(sizes);
    const TokenRows<T> here = tokens.from(block.begin);
    Tensor gathered = empty({tokens ? longest : 0, sizes.inputs}, dtype_of<T>);
    if (tokens) gather_rows(here, x, count, sizes.inputs, gathered.mutable_data<T>());
    const T* const in = tokens ? gathered.data<T>() : x + block.begin * sizes.inputs;
    T *const before = hidden + block.begin * sizes.hidden, *const out = y + block.begin * sizes.outputs;
    if constexpr (std::is_same_v<T, float>)
      if (tiles) tiles->forward(block.expert, count, in, before, out);
    if (!tiles) {
      const MlpParts<const T> own = of_expert(weights, block.expert, sizes);
      Tensor values = empty({longest, sizes.hidden}, dtype_of<T>);
      T* const value = values.mutable_data<T>();
      gemm_on_this_thread<T>(count, sizes.hidden, sizes.inputs, {in, sizes.inputs}, {own.up, sizes.hidden},
                             T(0), before, sizes.hidden, own.up_bias, sizes.precision);
      gelu_forward_rows(before, value, count * sizes.hidden);
      gemm_on_this_thread<T>(count, sizes.outputs, sizes.hidden, {value, sizes.hidden},
                             {own.down, sizes.outputs}, T(0), out, sizes.outputs, own.down_bias,
                             sizes.precision);
    }
    if (tokens) scatter_gated_rows(here, static_cast<const T*>(out), count, sizes.outputs, gated);
  });
}

template <class T>
void mlp_backward_by_blocks(const T* x, const T* hidden, const MlpParts<const T>& weights,
                            const int32_t* row_begin, const T* dy, const MlpSizes& sizes, T* dx,
                            const MlpParts<T>& gradients, const TokenRows<T>& tokens, const T* y, T* dgates) {
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
  const Backward<T> all{x, hidden, dy, dx, tokens, y, dgates};
  for_each(runs, [&](const Piece& run, int64_t i) {
    const MlpParts<T> sums = runs_of(run.expert) > 1 ? parts_in(partial + i * numbers, sizes)
                                                     : of_expert(gradients, run.expert, sizes);
    if constexpr (std::is_same_v<T, float>)
      if (tiles) {
        const int64_t count = run.end - run.begin;
        const Backward<T> here = all.from(run.begin, sizes);
        Tensor rows = room_for_rows(tokens, std::max(count, kLeastRowsToCut), sizes);
        return with_rows(here, count, sizes, rows.mutable_data<T>(),
                         [&](const float* x_rows, const float* dy_rows, float* dx_rows) {
                           tiles->backward(run.expert, count, rows_of_block(sizes), x_rows, here.hidden,
                                           dy_rows, dx_rows, sums);
                         });
      }
    backward_run(all, weights, sizes, run, sums);
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
                                      T*, T*, const TokenRows<T>&, T*);                                    \
  template void mlp_backward_by_blocks(const T*, const T*, const MlpParts<const T>&, const int32_t*,       \
                                       const T*, const MlpSizes&, T*, const MlpParts<T>&,                  \
                                       const TokenRows<T>&, const T*, T*);
LIMOE_MLP_BLOCKS(float)
LIMOE_MLP_BLOCKS(double)
#undef LIMOE_MLP_BLOCKS

}  // namespace limoe
