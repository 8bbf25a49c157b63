#include "ops/normalize_gates.h"

#include "autograd/record.h"
#include "cuda/normalize_gates.h"
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/eigen_maps.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"

namespace limoe {
namespace {

template <class T>
void forward_cpu(const T* gates, T* y, Rows rows) {
  parallel_for(rows.count, rows_per_run(rows.width), [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const auto in = as_row(gates + row * rows.width, rows.width);
      auto out = as_row(y + row * rows.width, rows.width);
      const T sum = in.sum();
      if (sum == T(0))
        out.setZero();
      else
        out = in / sum;
    }
  });
}

template <class T>
void backward_cpu(const T* gates, const T* dy, T* dgates, Rows rows) {
  parallel_for(rows.count, rows_per_run(rows.width), [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const auto in = as_row(gates + row * rows.width, rows.width);
      const auto gradient = as_row(dy + row * rows.width, rows.width);
      auto out = as_row(dgates + row * rows.width, rows.width);
      const T sum = in.sum();
      if (sum == T(0))
        out.setZero();
      else
        out = (gradient - (in * gradient).sum() / sum) / sum;
    }
  });
}

}  // namespace

Tensor normalize_gates_forward(const Tensor& gates) {
  expect_floating("normalize_gates", "gates", gates);
  expect_rank_at_least("normalize_gates", "gates", gates, 1);
  const Tensor in = contiguous(gates);
  Tensor y = empty_like(in);
  const Rows rows = fold_leading_axes(in.shape());
  dispatch(
      "normalize_gates", in, [&]<class T>(OnCpu<T>) { forward_cpu(in.data<T>(), y.mutable_data<T>(), rows); },
      [&]<class T>(OnCuda<T> on) {
        cuda::normalize_gates_forward(on.stream, in.device_data<T>(), y.mutable_device_data<T>(), rows);
      });
  return y;
}

Tensor normalize_gates_backward(const Tensor& gates, const Tensor& dy) {
  expect_shape("normalize_gates backward", "dy", dy, gates.shape(), "because gates is that");
  const Tensor in = contiguous(gates), gradient = contiguous(dy);
  Tensor dgates = empty_like(in);
  const Rows rows = fold_leading_axes(in.shape());
  dispatch(
      "normalize_gates backward", in,
      [&]<class T>(OnCpu<T>) {
        backward_cpu(in.data<T>(), gradient.data<T>(), dgates.mutable_data<T>(), rows);
      },
      [&]<class T>(OnCuda<T> on) {
        cuda::normalize_gates_backward(on.stream, in.device_data<T>(), gradient.device_data<T>(),
                                       dgates.mutable_device_data<T>(), rows);
      });
  return dgates;
}

Var normalize_gates(const Var& gates) {
  return record("normalize_gates", normalize_gates_forward(gates.value()), {gates},
                [gates = save(gates.value(), "gates")](const Tensor& dy, InputGradients& d) {
                  d.set(0, normalize_gates_backward(gates.get(), dy));
                });
}

}  // namespace limoe
