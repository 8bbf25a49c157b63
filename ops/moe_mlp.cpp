#include "ops/moe_mlp.h"

#include <algorithm>

#include "autograd/record.h"
#include "ops/dispatch.h"
#include "ops/mlp.h"
#include "ops/mlp_layout.h"
#include "ops/moe_combine.h"
#include "ops/moe_dispatch.h"
#include "tensor/factory.h"

namespace limoe {
namespace {

constexpr const char* kOp = "moe_mlp";

// Of one choice a token: every row that an expert owns is the row of a token, as moe_route() makes them.
// Other tables are for the three ops.
bool rows_are_tokens(const Routing& routing) {
  const int32_t *const row_of = routing.row_of.data<int32_t>(),
                       *const token_of = routing.choice_of.data<int32_t>(),
                       *const begin = routing.row_begin.data<int32_t>();
  for (int64_t row = 0; row < begin[routing.row_begin.dim(0) - 1]; ++row)
    if (token_of[row] < 0 || row_of[token_of[row]] != row) return false;
  return true;
}

// Zeros for the tokens that no expert has.
template <class T>
void zero_unrouted(const Routing& routing, Tensor& of_tokens) {
  const int32_t* const row_of = routing.row_of.data<int32_t>();
  const int32_t used = routing.row_begin.data<int32_t>()[routing.row_begin.dim(0) - 1];
  const int64_t width = of_tokens.dim(1);
  T* const memory = of_tokens.mutable_data<T>();
  for (int64_t token = 0; token < of_tokens.dim(0); ++token)
    if (row_of[token] < 0 || row_of[token] >= used) std::fill_n(memory + token * width, width, T(0));
}

template <class T>
TokenRows<T> token_rows(const Routing& routing, const Tensor& gates) {
  return {routing.choice_of.data<int32_t>(), gates.data<T>()};
}

struct Kept {
  Tensor hidden, rows;
};

Tensor forward(const MlpLayout& layout, const Tensor& x, const Tensor& gates, const MlpWeights& w,
               const Routing& routing, Kept& kept) {
  const int64_t tokens = x.dim(0), outputs = w.down.dim(2);
  kept = {empty({tokens, w.up.dim(2)}, x.dtype()), empty({tokens, outputs}, x.dtype())};
  Tensor y = empty({tokens, outputs}, x.dtype());
  dispatch(kOp, x, [&]<class T>(OnCpu<T>) {
    mlp_forward_by_blocks<T>(x.data<T>(), parts_of<T>(w), layout.row_begin.data<int32_t>(),
                             sizes_of(layout, w), kept.hidden.mutable_data<T>(), kept.rows.mutable_data<T>(),
                             token_rows<T>(routing, gates), y.mutable_data<T>());
    zero_unrouted<T>(routing, y);
  });
  return y;
}

void backward(const MlpLayout& layout, const Tensor& x, const Tensor& gates, const MlpWeights& w,
              const Routing& routing, const Kept& kept, const Tensor& dy, InputGradients& d) {
  const Tensor gradient = contiguous(dy);
  Tensor dx = empty_like(x), dgates = empty_like(gates), up = d.room(2, w.up), up_bias = d.room(3, w.up_bias),
         down = d.room(4, w.down), down_bias = d.room(5, w.down_bias);
  dispatch(kOp, x, [&]<class T>(OnCpu<T>) {
    mlp_backward_by_blocks<T>(x.data<T>(), kept.hidden.data<T>(), parts_of<T>(w),
                              layout.row_begin.data<int32_t>(), gradient.data<T>(), sizes_of(layout, w),
                              dx.mutable_data<T>(),
                              {up.mutable_data<T>(), up_bias.mutable_data<T>(), down.mutable_data<T>(),
                               down_bias.mutable_data<T>()},
                              token_rows<T>(routing, gates), kept.rows.data<T>(), dgates.mutable_data<T>());
    zero_unrouted<T>(routing, dx);
    zero_unrouted<T>(routing, dgates);
  });
  const Tensor all[] = {dx, dgates, up, up_bias, down, down_bias};
  for (int input = 0; input < 6; ++input)
    if (d.wanted(input)) d.set(input, all[input]);
}

Var by_blocks(const MlpLayout& layout, const std::vector<Var>& inputs, const Tensor& x, const Tensor& gates,
              const MlpWeights& w, const Routing& routing) {
  Kept kept;
  const Tensor y = forward(layout, x, gates, w, routing, kept);
  return record(
      kOp, y, inputs,
      [layout, begins = save(routing.row_begin, "row_begin"), row_of = save(routing.row_of, "row_of"),
       choice_of = save(routing.choice_of, "choice_of"), x = save(inputs[0], "x"),
       gates = save(gates, "gates"), hidden = save(kept.hidden, "hidden"), rows = save(kept.rows, "rows"),
       up = save(w.up, "up"), up_bias = save(w.up_bias, "up_bias"), down = save(w.down, "down"),
       down_bias = save(w.down_bias, "down_bias")](const Tensor& dy, InputGradients& d) {
        backward({kOp, begins.get(), layout.precision}, contiguous(x.get()), gates.get(),
                 {up.get(), up_bias.get(), down.get(), down_bias.get()},
                 {{}, row_of.get(), choice_of.get(), begins.get()}, {hidden.get(), rows.get()}, dy, d);
      });
}

}  // namespace

Var moe_mlp(const Var& x, const Var& gates, const Var& up, const Var& up_bias, const Var& down,
            const Var& down_bias, const Routing& routing, MatmulPrecision precision) {
  expect_rank(kOp, "x", x.value(), 2);
  expect_routing(kOp, routing, x.dim(0));
  if (x.value().device().kind == DeviceKind::cpu && routing.row_of.dim(1) == 1) {
    const Tensor in = contiguous(x.value()), weights = contiguous(gates.value());
    const MlpWeights w{contiguous(up.value()), contiguous(up_bias.value()), contiguous(down.value()),
                       contiguous(down_bias.value())};
    const Routing tables{routing.expert_of, contiguous(routing.row_of), contiguous(routing.choice_of),
                         contiguous(routing.row_begin)};
    const MlpLayout layout{kOp, tables.row_begin, precision};
    expect_mlp_arguments(layout, in, w);
    expect_shape(kOp, "gates", weights, tables.row_of.shape(), "because routing.row_of is that");
    expect_same_kind(kOp, "gates", weights, "x", in);
    if (rows_are_tokens(tables) && goes_by_blocks(layout, in, w))
      return by_blocks(layout, {x, gates, up, up_bias, down, down_bias}, in, weights, w, tables);
  }
  const Var rows =
      grouped_mlp(moe_dispatch(x, routing), up, up_bias, down, down_bias, routing.row_begin, precision);
  return moe_combine(rows, gates, routing);
}

}  // namespace limoe
