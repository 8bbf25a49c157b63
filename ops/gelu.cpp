#include "ops/gelu.h"

#include "autograd/record.h"
#include "cuda/gelu.h"
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/eigen_maps.h"
#include "ops/vector_math.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"

namespace limoe {
namespace {

constexpr double kSqrtTwoOverPi = 0.79788456080286535588;
constexpr double kCubic = 0.044715;

// f64: the formula as it stands, on Eigen arrays because their tanh() is vectorised.
void forward_rows(const double* x, double* y, int64_t count) {
  const auto in = as_row(x, count);
  as_row(y, count) = 0.5 * in * (1 + (kSqrtTwoOverPi * in * (1 + kCubic * in.square())).tanh());
}

void backward_rows(const double* x, const double* dy, double* dx, int64_t count) {
  const auto in = as_row(x, count);
  auto out = as_row(dx, count);
  out = (kSqrtTwoOverPi * in * (1 + kCubic * in.square())).tanh();  // t
  out = as_row(dy, count) *
        (0.5 * (1 + out) + 0.5 * in * (1 - out.square()) * (kSqrtTwoOverPi * (1 + 3 * kCubic * in.square())));
}

// Beyond this s is 0 or 1 to all digits of f32, and exp(2u) is still in range.
constexpr float kFar = 10;

// exp(-2u)
FloatRegister exp_of_gate(FloatRegister x) {
  constexpr float kTwice = float(-2 * kSqrtTwoOverPi);
  return vector_exp(x * (kTwice + kTwice * float(kCubic) * (x * x)));
}

void forward_rows(const float* x, float* y, int64_t count) {
  for_each_register(
      y, count,
      [](FloatRegister x) {
        const FloatRegister above = at_least(x, -kFar);
        return above / (1.0f + exp_of_gate(at_most(above, kFar)));
      },
      x);
}

void backward_rows(const float* x, const float* dy, float* dx, int64_t count) {
  constexpr float kTwice = float(2 * kSqrtTwoOverPi);
  for_each_register(
      dx, count,
      [](FloatRegister x, FloatRegister dy) {
        const FloatRegister inside = at_most(at_least(x, -kFar), kFar), e = exp_of_gate(inside);
        const FloatRegister s = 1.0f / (1.0f + e);
        const FloatRegister slope = inside * (kTwice + kTwice * float(3 * kCubic) * (inside * inside));
        return dy * (s + s * (e * s) * slope);
      },
      x, dy);
}

template <class T>
void forward_cpu(const T* x, T* y, int64_t count) {
  parallel_for(count, kElementsPerRun,
               [=](int64_t begin, int64_t end) { forward_rows(x + begin, y + begin, end - begin); });
}

template <class T>
void backward_cpu(const T* x, const T* dy, T* dx, int64_t count) {
  parallel_for(count, kElementsPerRun, [=](int64_t begin, int64_t end) {
    backward_rows(x + begin, dy + begin, dx + begin, end - begin);
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
