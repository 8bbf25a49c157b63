#include "ops/mlp.h"

#include <algorithm>

#include "autograd/record.h"
#include "ops/dispatch.h"
#include "ops/gelu.h"
#include "ops/mlp_layout.h"
#include "tensor/factory.h"

namespace limoe {
namespace {

Tensor begins_of(const MlpLayout& layout, int64_t rows) {
  return layout.grouped() ? contiguous(layout.row_begin) : from_vector<int32_t>({2}, {0, int32_t(rows)});
}

template <class T>
void zero_unused(const MlpLayout& layout, Tensor& rows) {
  if (!layout.grouped()) return;
  const int64_t used = layout.row_begin.data<int32_t>()[layout.row_begin.dim(0) - 1], width = rows.dim(1);
  std::fill(rows.mutable_data<T>() + used * width, rows.mutable_data<T>() + rows.dim(0) * width, T(0));
}

Tensor forward(const MlpLayout& layout, const Tensor& x, const MlpWeights& w, Tensor& hidden) {
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

void backward_by_blocks(const MlpLayout& layout, const Tensor& x, const Tensor& hidden, const MlpWeights& w,
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
void backward(const MlpLayout& layout, const Tensor& x, Tensor hidden, const MlpWeights& w, const Tensor& dy,
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

Var record_mlp(const MlpLayout& layout, const std::vector<Var>& inputs) {
  expect_mlp_arguments(layout, inputs[0].value(),
                       {inputs[1].value(), inputs[2].value(), inputs[3].value(), inputs[4].value()});
  const Tensor x = contiguous(inputs[0].value());
  const MlpWeights w{contiguous(inputs[1].value()), contiguous(inputs[2].value()),
                     contiguous(inputs[3].value()), contiguous(inputs[4].value())};
  Tensor hidden;
  const Tensor y = forward(layout, x, w, hidden);
  return record(layout.op, y, inputs,
                [layout, begins = save(layout.row_begin, "row_begin"), x = save(inputs[0], "x"),
                 hidden = save(hidden, "hidden"), up = save(w.up, "up"), up_bias = save(w.up_bias, "up_bias"),
                 down = save(w.down, "down"),
                 down_bias = save(w.down_bias, "down_bias")](const Tensor& dy, InputGradients& d) mutable {
                  backward({layout.op, begins.get(), layout.precision, layout.x_name}, contiguous(x.get()),
                           hidden.take(), {up.get(), up_bias.get(), down.get(), down_bias.get()}, dy, d);
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
  return record_mlp({"grouped_mlp", contiguous(row_begin), precision, "rows"},
                    {rows, up, up_bias, down, down_bias});
}

}  // namespace limoe
