#include "ops/softmax.h"

#include "autograd/record.h"
#include "cuda/softmax.h"
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/eigen_maps.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"

namespace limoe {
namespace {

template <class T>
void forward_cpu(const T* x, T* y, Rows rows) {
  parallel_for(rows.count, rows_per_run(rows.width), [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const auto in = as_row(x + row * rows.width, rows.width);
      auto out = as_row(y + row * rows.width, rows.width);
      out = (in - in.template maxCoeff<Eigen::PropagateNaN>()).exp();
      out /= out.sum();
    }
  });
}

template <class T>
void backward_cpu(const T* y, const T* dy, T* dx, Rows rows) {
  parallel_for(rows.count, rows_per_run(rows.width), [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const auto out = as_row(y + row * rows.width, rows.width);
      const auto gradient = as_row(dy + row * rows.width, rows.width);
      as_row(dx + row * rows.width, rows.width) = out * (gradient - (out * gradient).sum());
    }
  });
}

}  // namespace

Tensor softmax_forward(const Tensor& x) {
  expect_floating("softmax", "x", x);
  expect_rank_at_least("softmax", "x", x, 1);
  if (x.dim(-1) == 0) throw ShapeError("softmax: x is ", x.shape(), "; expected at least one column");
  const Tensor in = contiguous(x);
  Tensor y = empty_like(in);
  const Rows rows = fold_leading_axes(in.shape());
  dispatch(
      "softmax", in, [&]<class T>(OnCpu<T>) { forward_cpu(in.data<T>(), y.mutable_data<T>(), rows); },
      [&]<class T>(OnCuda<T> on) {
        cuda::softmax_forward(on.stream, in.device_data<T>(), y.mutable_device_data<T>(), rows);
      });
  return y;
}

Tensor softmax_backward(const Tensor& y, const Tensor& dy) {
  expect_shape("softmax backward", "dy", dy, y.shape(), "because y is that");
  const Tensor out = contiguous(y), gradient = contiguous(dy);
  Tensor dx = empty_like(out);
  const Rows rows = fold_leading_axes(out.shape());
  dispatch(
      "softmax backward", out,
      [&]<class T>(OnCpu<T>) { backward_cpu(out.data<T>(), gradient.data<T>(), dx.mutable_data<T>(), rows); },
      [&]<class T>(OnCuda<T> on) {
        cuda::softmax_backward(on.stream, out.device_data<T>(), gradient.device_data<T>(),
                               dx.mutable_device_data<T>(), rows);
      });
  return dx;
}

Var softmax(const Var& x) {
  const Tensor y = softmax_forward(x.value());
  return record("softmax", y, {x}, [y = save(y, "y")](const Tensor& dy, InputGradients& d) {
    d.set(0, softmax_backward(y.get(), dy));
  });
}

}  // namespace limoe
