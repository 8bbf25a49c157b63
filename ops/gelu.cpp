#include "ops/gelu.h"

#include "autograd/record.h"
#include "cuda/gelu.h"
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/eigen_maps.h"
#include "ops/gelu_rows.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"

namespace limoe {
namespace {

template <class T>
void forward_cpu(const T* x, T* y, int64_t count) {
  parallel_for(count, kElementsPerRun,
               [=](int64_t begin, int64_t end) { gelu_forward_rows(x + begin, y + begin, end - begin); });
}

template <class T>
void backward_cpu(const T* x, const T* dy, T* dx, int64_t count) {
  parallel_for(count, kElementsPerRun, [=](int64_t begin, int64_t end) {
    gelu_backward_rows(x + begin, dy + begin, dx + begin, end - begin);
  });
}

template <class T>
void both_cpu(const T* x, T* y, T* gradient, int64_t count) {
  parallel_for(count, kElementsPerRun, [=](int64_t begin, int64_t end) {
    gelu_both_rows(x + begin, y + begin, gradient + begin, end - begin);
  });
}

}  // namespace

Tensor gelu_forward(const Tensor& x) {
  expect_floating("gelu", "x", x);
  const Tensor in = contiguous(x);
  Tensor y = empty_like(in);
  const int64_t count = in.element_count();
  dispatch(
      "gelu", in, [&]<class T>(OnCpu<T>) { forward_cpu(in.data<T>(), y.mutable_data<T>(), count); },
      [&]<class T>(OnCuda<T> on) {
        cuda::gelu_forward(on.stream, in.device_data<T>(), y.mutable_device_data<T>(), count);
      });
  return y;
}

Tensor gelu_backward(const Tensor& x, const Tensor& dy) {
  expect_shape("gelu backward", "dy", dy, x.shape(), "because x is that");
  const Tensor in = contiguous(x), gradient = contiguous(dy);
  Tensor dx = empty_like(in);
  const int64_t count = in.element_count();
  dispatch(
      "gelu backward", in,
      [&]<class T>(OnCpu<T>) { backward_cpu(in.data<T>(), gradient.data<T>(), dx.mutable_data<T>(), count); },
      [&]<class T>(OnCuda<T> on) {
        cuda::gelu_backward(on.stream, in.device_data<T>(), gradient.device_data<T>(),
                            dx.mutable_device_data<T>(), count);
      });
  return dx;
}

Tensor gelu_forward_and_backward(Tensor x, Tensor& gradient) {
  expect_shape("gelu backward", "dy", gradient, x.shape(), "because x is that");
  if (x.device().kind != DeviceKind::cpu) {
    gradient = gelu_backward(x, gradient);
    return gelu_forward(x);
  }
  x = contiguous(x);
  gradient = contiguous(gradient);
  Tensor y = x.owns_memory_alone() ? x : empty_like(x);
  dispatch("gelu backward", x, [&]<class T>(OnCpu<T>) {
    both_cpu(x.data<T>(), y.mutable_data<T>(), gradient.mutable_data<T>(), x.element_count());
  });
  return y;
}

Var gelu(const Var& x) {
  return record("gelu", gelu_forward(x.value()), {x},
                [x = save(x.value(), "x")](const Tensor& dy, InputGradients& d) {
                  d.set(0, gelu_backward(x.get(), dy));
                });
}

}  // namespace limoe
