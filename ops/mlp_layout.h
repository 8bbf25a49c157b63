// What mlp, grouped_mlp and moe_mlp share: the weights of one MLP or of all experts, what is asked of
// them, and their products layer by layer. For the .cpp files of ops.
#pragma once

#include <limits>

#include "ops/check.h"
#include "ops/grouped_linear.h"
#include "ops/linear.h"
#include "ops/mlp_blocks.h"
#include "ops/row_begin.h"

namespace limoe {

struct MlpWeights {
  Tensor up, up_bias, down, down_bias;
};

// The rows of experts; of a dense MLP those of one, whose weights have no axis of experts.
struct MlpLayout {
  const char* op;
  Tensor row_begin;  // undefined: dense
  MatmulPrecision precision;
  const char* x_name = "x";

  bool grouped() const { return row_begin.defined(); }
  int axis(int of_dense) const { return of_dense + (grouped() ? 1 : 0); }

  Tensor forward(const Tensor& x, const Tensor& kernel, const Tensor& bias) const {
    return grouped() ? grouped_linear_forward(x, kernel, bias, row_begin, precision)
                     : linear_forward(x, kernel, bias, precision);
  }
  Tensor backward_x(const Tensor& kernel, const Tensor& dy) const {
    return grouped() ? grouped_linear_backward_rows(kernel, row_begin, dy, precision)
                     : linear_backward_x(kernel, dy, precision);
  }
  Tensor backward_kernel(const Tensor& x, const Tensor& dy, const Tensor& room) const {
    return grouped() ? grouped_linear_backward_kernel(x, row_begin, dy, precision, room)
                     : linear_backward_kernel(x, dy, precision, room);
  }
  Tensor backward_bias(const Tensor& dy) const {
    return grouped() ? grouped_linear_backward_bias(row_begin, dy) : linear_backward_bias(dy);
  }
};

inline void expect_mlp_arguments(const MlpLayout& layout, const Tensor& x, const MlpWeights& w) {
  const char *const op = layout.op, *const x_name = layout.x_name;
  expect_floating(op, x_name, x);
  layout.grouped() ? expect_rank(op, x_name, x, 2) : expect_rank_at_least(op, x_name, x, 1);
  expect_rank(op, "up", w.up, layout.axis(2));
  expect_rank(op, "down", w.down, layout.axis(2));
  expect_dim(op, "up", w.up, layout.axis(0), x.dim(-1), "because ", x_name, " is ", x.shape());
  expect_dim(op, "down", w.down, layout.axis(0), w.up.dim(-1), "because up is ", w.up.shape());
  if (layout.grouped()) {
    const int64_t experts = w.up.dim(0);
    expect_dim(op, "down", w.down, 0, experts, "because up is ", w.up.shape());
    expect_shape(op, "up_bias", w.up_bias, {experts, w.up.dim(2)}, "because up is ", w.up.shape());
    expect_shape(op, "down_bias", w.down_bias, {experts, w.down.dim(2)}, "because down is ", w.down.shape());
    checked_row_begin(op, layout.row_begin, experts, x_name, x);
  } else {
    expect_shape(op, "up_bias", w.up_bias, {w.up.dim(1)}, "because up is ", w.up.shape());
    expect_shape(op, "down_bias", w.down_bias, {w.down.dim(1)}, "because down is ", w.down.shape());
  }
  for (const auto& [name, weight] :
       {std::pair{"up", w.up}, {"up_bias", w.up_bias}, {"down", w.down}, {"down_bias", w.down_bias}})
    expect_same_kind(op, name, weight, x_name, x);
  expect_precision(op, layout.precision, x_name, x);
}

inline MlpSizes sizes_of(const MlpLayout& layout, const MlpWeights& w) {
  return {layout.grouped() ? w.up.dim(0) : 1, w.up.dim(-2), w.up.dim(-1), w.down.dim(-1), layout.precision};
}

inline bool goes_by_blocks(const MlpLayout& layout, const Tensor& x, const MlpWeights& w) {
  const int64_t rows = fold_leading_axes(x.shape()).count;
  return x.device().kind == DeviceKind::cpu && rows <= std::numeric_limits<int32_t>::max() &&
         mlp_fits_blocks(sizes_of(layout, w));
}

template <class T>
MlpParts<const T> parts_of(const MlpWeights& w) {
  return {w.up.data<T>(), w.up_bias.data<T>(), w.down.data<T>(), w.down_bias.data<T>()};
}

}  // namespace limoe
