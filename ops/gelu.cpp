#include "ops/gelu.h"

#include "autograd/record.h"
#include "cuda/gelu.h"
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/eigen_maps.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"

namespace limoe {
namespace {

constexpr double kSqrtTwoOverPi = 0.79788456080286535588;
constexpr double kCubic = 0.044715;

// Written on Eigen arrays because their tanh() is vectorised; a loop over std::tanh is 35 to 80 times slower.
template <class T>
void forward_cpu(const T* x, T* y, int64_t count) {
  parallel_for(count, kElementsPerRun, [=](int64_t begin, int64_t end) {
    const auto in = as_row(x + begin, end - begin);
    as_row(y + begin, end - begin) =
        T(0.5) * in * (T(1) + (T(kSqrtTwoOverPi) * in * (T(1) + T(kCubic) * in.square())).tanh());
  });
}

template <class T>
void backward_cpu(const T* x, const T* dy, T* dx, int64_t count) {
  parallel_for(count, kElementsPerRun, [=](int64_t begin, int64_t end) {
    const auto in = as_row(x + begin, end - begin);
    auto out = as_row(dx + begin, end - begin);
    out = (T(kSqrtTwoOverPi) * in * (T(1) + T(kCubic) * in.square())).tanh();  // t
    out = as_row(dy + begin, end - begin) *
          (T(0.5) * (T(1) + out) +
           T(0.5) * in * (T(1) - out.square()) * (T(kSqrtTwoOverPi) * (T(1) + T(3 * kCubic) * in.square())));
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

Var gelu(const Var& x) {
  return record("gelu", gelu_forward(x.value()), {x},
                [x = save(x.value(), "x")](const Tensor& dy, InputGradients& d) {
                  d.set(0, gelu_backward(x.get(), dy));
                });
}

}  // namespace limoe
