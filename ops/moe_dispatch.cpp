#include "ops/moe_dispatch.h"

#include "autograd/record.h"
#include "cuda/moe_dispatch.h"
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/eigen_maps.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"

namespace limoe {
namespace {

template <class T>
void forward_cpu(const T* x, const int32_t* choice_of, int64_t choices, T* y, Rows rows) {
  parallel_for(rows.count, rows_per_run(rows.width), [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      auto out = as_row(y + row * rows.width, rows.width);
      if (choice_of[row] < 0)
        out.setZero();
      else
        out = as_row(x + choice_of[row] / choices * rows.width, rows.width);
    }
  });
}

template <class T>
void backward_cpu(const T* drows, const int32_t* row_of, int64_t choices, T* dx, Rows tokens) {
  parallel_for(tokens.count, rows_per_run(tokens.width), [=](int64_t begin, int64_t end) {
    for (int64_t token = begin; token < end; ++token) {
      auto sum = as_row(dx + token * tokens.width, tokens.width);
      sum.setZero();
      for (int64_t k = 0; k < choices; ++k)
        if (const int64_t row = row_of[token * choices + k]; row >= 0)
          sum += as_row(drows + row * tokens.width, tokens.width);
    }
  });
}

}  // namespace

Tensor moe_dispatch_forward(const Tensor& x, const Routing& routing) {
  expect_floating("moe_dispatch", "x", x);
  expect_rank("moe_dispatch", "x", x, 2);
  expect_routing("moe_dispatch", routing, x.dim(0));
  expect_same_device("moe_dispatch", "routing.choice_of", routing.choice_of, "x", x);
  const Tensor in = contiguous(x), choice_of = contiguous(routing.choice_of);
  const int64_t choices = routing.row_of.dim(1);
  Tensor rows = empty({choice_of.dim(0), x.dim(1)}, x.dtype(), x.device());
  dispatch(
      "moe_dispatch", in,
      [&]<class T>(OnCpu<T>) {
        forward_cpu(in.data<T>(), choice_of.data<int32_t>(), choices, rows.mutable_data<T>(),
                    fold_leading_axes(rows.shape()));
      },
      [&]<class T>(OnCuda<T> on) {
        cuda::moe_dispatch_forward(on.stream, in.device_data<T>(), choice_of.device_data<int32_t>(),
                                   rows.mutable_device_data<T>(), {in.dim(0), choices, in.dim(1)});
      });
  return rows;
}

Tensor moe_dispatch_backward(const Routing& routing, const Tensor& drows) {
  const int64_t tokens = routing.row_of.dim(0), choices = routing.row_of.dim(1);
  expect_rank("moe_dispatch backward", "drows", drows, 2);
  expect_dim("moe_dispatch backward", "drows", drows, 0, tokens * choices, "because row_of is ",
             routing.row_of.shape());
  const Tensor gradient = contiguous(drows), row_of = contiguous(routing.row_of);
  Tensor dx = empty({tokens, drows.dim(1)}, drows.dtype(), drows.device());
  dispatch(
      "moe_dispatch backward", gradient,
      [&]<class T>(OnCpu<T>) {
        backward_cpu(gradient.data<T>(), row_of.data<int32_t>(), choices, dx.mutable_data<T>(),
                     fold_leading_axes(dx.shape()));
      },
      [&]<class T>(OnCuda<T> on) {
        cuda::moe_dispatch_backward(on.stream, gradient.device_data<T>(), row_of.device_data<int32_t>(),
                                    dx.mutable_device_data<T>(), {tokens, choices, drows.dim(1)});
      });
  return dx;
}

Var moe_dispatch(const Var& x, const Routing& routing) {
  const Var rows = record(
      "moe_dispatch", moe_dispatch_forward(x.value(), routing), {x},
      [routing](const Tensor& drows, InputGradients& d) { d.set(0, moe_dispatch_backward(routing, drows)); });
  return rematerialized(rows, [x = save(x, "x"), routing] { return moe_dispatch_forward(x.get(), routing); });
}

}  // namespace limoe
