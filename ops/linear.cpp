#include "ops/linear.h"

#include "autograd/record.h"
#include "cuda/column_sums.h"
#include "ops/check.h"
#include "ops/device_gemm.h"
#include "ops/dispatch.h"
#include "ops/gemm.h"
#include "ops/row_sums.h"
#include "tensor/factory.h"

namespace limoe {
namespace {

Var record_linear(const Var& x, const Var& kernel, const Var* bias, MatmulPrecision precision) {
  std::vector<Var> inputs{x, kernel};
  if (bias) inputs.push_back(*bias);
  return record("linear",
                linear_forward(x.value(), kernel.value(), bias ? bias->value() : Tensor(), precision), inputs,
                [x = save(x, "x"), kernel = save(kernel.value(), "kernel"),
                 has_bias = bias != nullptr, precision](const Tensor& dy, InputGradients& d) {
                  if (d.wanted(0)) d.set(0, linear_backward_x(kernel.get(), dy, precision));
                  if (d.wanted(1))
                    d.set(1, linear_backward_kernel(x.get(), dy, precision, d.room(1, kernel.get())));
                  if (has_bias && d.wanted(2)) d.set(2, linear_backward_bias(dy));
                });
}

}  // namespace

Tensor linear_forward(const Tensor& x, const Tensor& kernel, const Tensor& bias, MatmulPrecision precision) {
  expect_floating("linear", "x", x);
  expect_rank_at_least("linear", "x", x, 1);
  expect_rank("linear", "kernel", kernel, 2);
  expect_dim("linear", "kernel", kernel, 0, x.dim(-1), "because x is ", x.shape());
  expect_same_kind("linear", "kernel", kernel, "x", x);
  expect_precision("linear", precision, "x", x);
  const int64_t columns = kernel.dim(1);
  if (bias.defined()) {
    expect_shape("linear", "bias", bias, {columns}, "because kernel is ", kernel.shape());
    expect_same_kind("linear", "bias", bias, "x", x);
  }
  const Tensor in = contiguous(x), weights = contiguous(kernel);
  const Tensor offsets = bias.defined() ? contiguous(bias) : bias;
  Tensor y = empty(x.shape().with(-1, columns), x.dtype(), x.device());
  const Rows rows = fold_leading_axes(in.shape());
  const auto on_cpu = [&]<class T>(OnCpu<T>) {
    gemm<T>(rows.count, columns, rows.width, {in.data<T>(), rows.width}, {weights.data<T>(), columns}, T(0),
            y.mutable_data<T>(), columns, offsets.defined() ? offsets.data<T>() : nullptr, precision);
  };
  dispatch("linear", in, on_cpu, [&]<class T>(OnCuda<T> on) {
    device_gemm<T>(on, y.device(), {rows.count, columns, rows.width}, {in.device_data<T>(), rows.width},
                   {weights.device_data<T>(), columns}, {y.mutable_device_data<T>(), columns},
                   {.bias = offsets.defined() ? offsets.device_data<T>() : nullptr});
  });
  return y;
}

Tensor linear_backward_x(const Tensor& kernel, const Tensor& dy, MatmulPrecision precision) {
  expect_dim("linear backward", "dy", dy, -1, kernel.dim(1), "because kernel is ", kernel.shape());
  expect_precision("linear backward", precision, "dy", dy);
  const Tensor weights = contiguous(kernel), gradient = contiguous(dy);
  Tensor dx = empty(dy.shape().with(-1, kernel.dim(0)), dy.dtype(), dy.device());
  const Rows rows = fold_leading_axes(gradient.shape());
  const int64_t width = kernel.dim(0);
  const auto on_cpu = [&]<class T>(OnCpu<T>) {
    gemm<T>(rows.count, width, rows.width, {gradient.data<T>(), rows.width},
            {weights.data<T>(), rows.width, true}, T(0), dx.mutable_data<T>(), width, nullptr, precision);
  };
  dispatch("linear backward", gradient, on_cpu, [&]<class T>(OnCuda<T> on) {
    device_gemm<T>(on, dx.device(), {rows.count, width, rows.width}, {gradient.device_data<T>(), rows.width},
                   {weights.device_data<T>(), rows.width, true}, {dx.mutable_device_data<T>(), width});
  });
  return dx;
}

Tensor linear_backward_kernel(const Tensor& x, const Tensor& dy, MatmulPrecision precision, Tensor room) {
  expect_shape("linear backward", "dy", dy, x.shape().with(-1, dy.dim(-1)), "because x is ", x.shape());
  expect_precision("linear backward", precision, "dy", dy);
  const Tensor in = contiguous(x), gradient = contiguous(dy);
  const Rows rows = fold_leading_axes(in.shape());
  const int64_t columns = dy.dim(-1);
  Tensor dkernel = room_or_new("linear backward", std::move(room), {rows.width, columns}, dy);
  const auto on_cpu = [&]<class T>(OnCpu<T>) {
    gemm<T>(rows.width, columns, rows.count, {in.data<T>(), rows.width, true}, {gradient.data<T>(), columns},
            T(0), dkernel.mutable_data<T>(), columns, nullptr, precision);
  };
  dispatch("linear backward", gradient, on_cpu, [&]<class T>(OnCuda<T> on) {
    device_gemm<T>(on, dkernel.device(), {rows.width, columns, rows.count},
                   {in.device_data<T>(), rows.width, true}, {gradient.device_data<T>(), columns},
                   {dkernel.mutable_device_data<T>(), columns});
  });
  return dkernel;
}

Tensor linear_backward_bias(const Tensor& dy) {
  const Tensor gradient = contiguous(dy);
  Tensor dbias = empty({dy.dim(-1)}, dy.dtype(), dy.device());
  const Rows rows = fold_leading_axes(gradient.shape());
  const auto on_cpu = [&]<class T>(OnCpu<T>) {
    column_sums(gradient.data<T>(), rows, dbias.mutable_data<T>());
  };
  dispatch("linear backward", gradient, on_cpu, [&]<class T>(OnCuda<T> on) {
    Tensor partials = empty({cuda::column_sum_runs(rows), rows.width}, DType::f32, dy.device());
    cuda::column_sums(on.stream, gradient.device_data<T>(), partials.mutable_device_data<float>(),
                      dbias.mutable_device_data<T>(), rows);
  });
  return dbias;
}

Var linear(const Var& x, const Var& kernel, const Var& bias, MatmulPrecision precision) {
  if (!bias.value().defined())
    throw ValueError("linear: bias is undefined; expected [M], or no bias argument");
  return record_linear(x, kernel, &bias, precision);
}

Var linear(const Var& x, const Var& kernel, MatmulPrecision precision) {
  return record_linear(x, kernel, nullptr, precision);
}

}  // namespace limoe
