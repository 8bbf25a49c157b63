#include "ops/sum.h"

#include "autograd/record.h"
#include "cuda/sum.h"
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/row_sums.h"
#include "tensor/factory.h"

namespace limoe {

Tensor sum_forward(const Tensor& x) {
  expect_floating("sum", "x", x);
  const Tensor in = contiguous(x);
  Tensor y = empty({}, x.dtype(), x.device());
  const int64_t count = in.element_count();
  const auto on_cpu = [&]<class T>(OnCpu<T>) {
    const T* const from = in.data<T>();
    sum_over_rows(count, 1, y.mutable_data<T>(), [=](int64_t begin, int64_t end, T* partial) {
      *partial += as_row(from + begin, end - begin).sum();
    });
  };
  dispatch("sum", in, on_cpu, [&]<class T>(OnCuda<T> on) {
    Tensor partials = empty({cuda::sum_partial_count(count)}, DType::f32, x.device());
    cuda::sum_forward(on.stream, in.device_data<T>(), partials.mutable_device_data<float>(),
                      y.mutable_device_data<T>(), count);
  });
  return y;
}

Tensor sum_backward(const Shape& x_shape, const Tensor& dy) {
  expect_shape("sum backward", "dy", dy, {}, "because y is a scalar");
  const Tensor gradient = contiguous(dy);
  Tensor dx = empty(x_shape, dy.dtype(), dy.device());
  const int64_t count = dx.element_count();
  dispatch(
      "sum backward", gradient,
      [&]<class T>(OnCpu<T>) { as_row(dx.mutable_data<T>(), count) = *gradient.data<T>(); },
      [&]<class T>(OnCuda<T> on) {
        cuda::sum_backward(on.stream, gradient.device_data<T>(), dx.mutable_device_data<T>(), count);
      });
  return dx;
}

Var sum(const Var& x) {
  return record("sum", sum_forward(x.value()), {x}, [shape = x.shape()](const Tensor& dy, InputGradients& d) {
    d.set(0, sum_backward(shape, dy));
  });
}

}  // namespace limoe
