#include "ops/mlp.h"

#include <algorithm>
#include <limits>

#include "autograd/record.h"
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/gelu.h"
#include "ops/grouped_linear.h"
#include "ops/linear.h"
#include "ops/mlp_blocks.h"
#include "ops/row_begin.h"
#include "tensor/factory.h"

namespace limoe {
namespace {

struct Weights {
  Tensor up, up_bias, down, down_bias;
};

// The rows of experts; of a dense MLP those of one, whose weights have no axis of experts.
struct Layout {
  const char* op;
  Tensor row_begin;  // undefined: dense
  MatmulPrecision precision;

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

void check(const Layout& layout, const Tensor& x, const Weights& w) {
  const char* const op = layout.op;
  const char* const x_name = layout.grouped() ? "rows" : "x";
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

MlpSizes sizes_of(const Layout& layout, const Weights& w) {
  return {layout.grouped() ? w.up.dim(0) : 1, w.up.dim(-2), w.up.dim(-1), w.down.dim(-1), layout.precision};
}

bool goes_by_blocks(const Layout& layout, const Tensor& x, const Weights& w) {
  const int64_t rows = fold_leading_axes(x.shape()).count;
  return x.device().kind == DeviceKind::cpu && rows <= std::numeric_limits<int32_t>::max() &&
         mlp_fits_blocks(sizes_of(layout, w));
}

Tensor begins_of(const Layout& layout, int64_t rows) {
  return layout.grouped() ? contiguous(layout.row_begin) : from_vector<int32_t>({2}, {0, int32_t(rows)});
}

template <class T>
MlpParts<const T> parts_of(const Weights& w) {
  return {w.up.data<T>(), w.up_bias.data<T>(), w.down.data<T>(), w.down_bias.data<T>()};
}

template <class T>
void zero_unused(const Layout& layout, Tensor& rows) {
  if (!layout.grouped()) return;
  const int64_t used = layout.row_begin.data<int32_t>()[layout.row_begin.dim(0) - 1], width = rows.dim(1);
  std::fill(rows.mutable_data<T>() + used * width, rows.mutable_data<T>() + rows.dim(0) * width, T(0));
}

Tensor forward(const Layout& layout, const Tensor& x, const Weights& w, Tensor& hidden) {
  if (!goes_by_blocks(layout, x, w)) {
    hidden = layout.forward(x, w.up, w.up_bias);
    return layout.forward(gelu_forward(hidden), w.down, w.down_bias);
  }
  hidden = empty(x.shape().with(-1, w.up.dim(-1)), x.dtype());
  Tensor y = empty(x.shape().with(-1, w.down.dim(-1)), x.dtype());
  const Tensor begins = begins_of(layout, fold_leading_axes(x.shape()).count);
  dispatch(layout.op, x, [&]<class T>(OnCpu<T>) {
    mlp_forward_by_blocks<T>(x.data<T>(), parts_of<T>(w), begins.data<int32_t>(), sizes_of(layout, w),
                             hidden.mutable_data<T>(), y.mutable_data<T>());
    zero_unused<T>(layout, y);
  });
  return y;
}

void backward_by_blocks(const Layout& layout, const Tensor& x, const Tensor& hidden, const Weights& w,
                        const Tensor& dy, InputGradients& d) {
  const Tensor gradient = contiguous(dy), begins = begins_of(layout, fold_leading_axes(x.shape()).count);
  Tensor dx = empty_like(x), up = d.room(1, w.up), up_bias = d.room(2, w.up_bias), down = d.room(3, w.down),
         down_bias = d.room(4, w.down_bias);
  dispatch(layout.op, x, [&]<class T>(OnCpu<T>) {
    mlp_backward_by_blocks<T>(x.data<T>(), hidden.data<T>(), parts_of<T>(w), begins.data<int32_t>(),
                              gradient.data<T>(), sizes_of(layout, w), dx.mutable_data<T>(),
                              {up.mutable_data<T>(), up_bias.mutable_data<T>(), down.mutable_data<T>(),
                               down_bias.mutable_data<T>()});
    zero_unused<T>(layout, dx);
  });
  const Tensor all[] = {dx, up, up_bias, down, down_bias};
  for (int input = 0; input < 5; ++input)
    if (d.wanted(input)) d.set(input, all[input]);
}

// Consumes `hidden`.
void backward(const Layout& layout, const Tensor& x, Tensor hidden, const Weights& w, const Tensor& dy,
              InputGradients& d) {
  if (goes_by_blocks(layout, x, w)) return backward_by_blocks(layout, x, hidden, w, dy, d);
  if (d.wanted(4)) d.set(4, layout.backward_bias(dy));
  Tensor gradient = layout.backward_x(w.down, dy);
  {
    const Tensor value = gelu_forward_and_backward(std::move(hidden), gradient);
    if (d.wanted(3)) d.set(3, layout.backward_kernel(value, dy, d.room(3, w.down)));
  }
  if (d.wanted(2)) d.set(2, layout.backward_bias(gradient));
  if (d.wanted(1)) d.set(1, layout.backward_kernel(x, gradient, d.room(1, w.up)));
  if (d.wanted(0)) d.set(0, layout.backward_x(w.up, gradient));
}

Var record_mlp(const Layout& layout, const std::vector<Var>& inputs) {
  check(layout, inputs[0].value(),
        {inputs[1].value(), inputs[2].value(), inputs[3].value(), inputs[4].value()});
  const Tensor x = contiguous(inputs[0].value());
  const Weights w{contiguous(inputs[1].value()), contiguous(inputs[2].value()), contiguous(inputs[3].value()),
                  contiguous(inputs[4].value())};
  Tensor hidden;
  const Tensor y = forward(layout, x, w, hidden);
  return record(layout.op, y, inputs,
                [layout, begins = save(layout.row_begin, "row_begin"), x = save(inputs[0], "x"),
                 hidden = save(hidden, "hidden"), up = save(w.up, "up"), up_bias = save(w.up_bias, "up_bias"),
                 down = save(w.down, "down"),
                 down_bias = save(w.down_bias, "down_bias")](const Tensor& dy, InputGradients& d) mutable {
                  backward({layout.op, begins.get(), layout.precision}, contiguous(x.get()), hidden.take(),
                           {up.get(), up_bias.get(), down.get(), down_bias.get()}, dy, d);
                });
}

}  // namespace

Var mlp(const Var& x, const Var& up, const Var& up_bias, const Var& down, const Var& down_bias,
        MatmulPrecision precision) {
  return record_mlp({"mlp", {}, precision}, {x, up, up_bias, down, down_bias});
}

Var grouped_mlp(const Var& rows, const Var& up, const Var& up_bias, const Var& down, const Var& down_bias,
                const Tensor& row_begin, MatmulPrecision precision) {
  if (!row_begin.defined()) throw ValueError("grouped_mlp: row_begin is undefined; expected i32 [E + 1]");
  return record_mlp({"grouped_mlp", contiguous(row_begin), precision}, {rows, up, up_bias, down, down_bias});
}

}  // namespace limoe
