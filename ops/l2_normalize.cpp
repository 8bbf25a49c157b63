#include "ops/l2_normalize.h"

#include <cmath>

#include "autograd/record.h"
#include "cuda/l2_normalize.h"
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/eigen_maps.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"

namespace limoe {
namespace {

constexpr double kGuard = 1e-8;

template <class T>
void forward_cpu(const T* x, T* y, Rows rows) {
  parallel_for(rows.count, rows_per_run(rows.width), [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const auto in = as_row(x + row * rows.width, rows.width);
      as_row(y + row * rows.width, rows.width) = in / (std::sqrt(in.square().sum()) + T(kGuard));
    }
  });
}

template <class T>
void backward_cpu(const T* x, const T* dy, T* dx, Rows rows) {
  parallel_for(rows.count, rows_per_run(rows.width), [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const auto in = as_row(x + row * rows.width, rows.width);
      const auto gradient = as_row(dy + row * rows.width, rows.width);
      const T norm = std::sqrt(in.square().sum()), guarded = norm + T(kGuard);
      // x . dy / (n m^2), taken as (x . dy / n) / m / m: n m^2 underflows long before its factors do.
      const T along = norm == T(0) ? T(0) : (in * gradient).sum() / norm / guarded / guarded;
      as_row(dx + row * rows.width, rows.width) = gradient / guarded - in * along;
    }
  });
}

}  // namespace

Tensor l2_normalize_forward(const Tensor& x) {
  expect_floating("l2_normalize", "x", x);
  expect_rank_at_least("l2_normalize", "x", x, 1);
  const Tensor in = contiguous(x);
  Tensor y = empty_like(in);
  const Rows rows = fold_leading_axes(in.shape());
  dispatch(
      "l2_normalize", in, [&]<class T>(OnCpu<T>) { forward_cpu(in.data<T>(), y.mutable_data<T>(), rows); },
      [&]<class T>(OnCuda<T> on) {
        cuda::l2_normalize_forward(on.stream, in.device_data<T>(), y.mutable_device_data<T>(), rows);
      });
  return y;
}

Tensor l2_normalize_backward(const Tensor& x, const Tensor& dy) {
  expect_shape("l2_normalize backward", "dy", dy, x.shape(), "because x is that");
  const Tensor in = contiguous(x), gradient = contiguous(dy);
  Tensor dx = empty_like(in);
  const Rows rows = fold_leading_axes(in.shape());
  dispatch(
      "l2_normalize backward", in,
      [&]<class T>(OnCpu<T>) { backward_cpu(in.data<T>(), gradient.data<T>(), dx.mutable_data<T>(), rows); },
      [&]<class T>(OnCuda<T> on) {
        cuda::l2_normalize_backward(on.stream, in.device_data<T>(), gradient.device_data<T>(),
                                    dx.mutable_device_data<T>(), rows);
      });
  return dx;
}

Var l2_normalize(const Var& x) {
  return record("l2_normalize", l2_normalize_forward(x.value()), {x},
                [x = save(x.value(), "x")](const Tensor& dy, InputGradients& d) {
                  d.set(0, l2_normalize_backward(x.get(), dy));
                });
}

}  // namespace limoe
