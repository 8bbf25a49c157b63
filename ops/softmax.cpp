#include "ops/softmax.h"

#include <limits>

#include "autograd/record.h"
#include "cuda/softmax.h"
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/eigen_maps.h"
#include "ops/vector_math.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"

namespace limoe {
namespace {

// exp(), and 0 where x is so small that a float has no normal number for it.
FloatRegister exp_or_zero(FloatRegister x) {
  constexpr float kLeast = -87;
  return x < kLeast ? FloatRegister{} : vector_exp(at_least(x, kLeast));
}

// A row that stays in kRegisters registers. A NaN is passed over by the largest element, and comes back by
// exp() and the sum.
template <int64_t kRegisters>
void forward_short_row(const float* x, float* y, int64_t width) {
  constexpr int64_t kLast = kRegisters - 1;
  const int64_t lanes = width - kLast * kFloatLanes;
  const FloatRegister none = -std::numeric_limits<float>::infinity() - FloatRegister{};
  FloatRegister row[kRegisters];
  for (int64_t r = 0; r < kLast; ++r) row[r] = detail::load_register(x + r * kFloatLanes);
  row[kLast] = detail::load_lanes(x + kLast * kFloatLanes, lanes, none);
  FloatRegister tops = none, sums{};
  for (int64_t r = 0; r < kRegisters; ++r) tops = row[r] > tops ? row[r] : tops;
  const float largest = across_lanes<float>(tops, [](auto a, auto b) { return a > b ? a : b; });
  for (int64_t r = 0; r < kRegisters; ++r) sums += row[r] = exp_or_zero(row[r] - largest);
  const float share = 1 / sum_of_lanes<float>(sums);
  for (int64_t r = 0; r < kLast; ++r) detail::store_register(y + r * kFloatLanes, row[r] * share);
  detail::store_lanes(y + kLast * kFloatLanes, row[kLast] * share, lanes);
}

void forward_row(const float* x, float* y, int64_t width) {
  if (width <= kFloatLanes) return forward_short_row<1>(x, y, width);
  if (width <= 2 * kFloatLanes) return forward_short_row<2>(x, y, width);
  const float largest = largest_of(x, width);
  for_each_register(
      y, width, [=](FloatRegister in) { return exp_or_zero(in - largest); }, x);
  const auto itself = [](FloatRegister exponent) { return exponent; };
  const float share = 1 / sum_over_registers(width, itself, y);
  for_each_register(
      y, width, [=](FloatRegister exponent) { return exponent * share; }, y);
}

void forward_row(const double* x, double* y, int64_t width) {
  const auto in = as_row(x, width);
  auto out = as_row(y, width);
  out = (in - in.maxCoeff<Eigen::PropagateNaN>()).exp();
  constexpr double kUnderflow = 1e-300;  // vectorised exp() ends a little below, but never at 0
  for (int64_t i = 0; i < width; ++i) y[i] = y[i] < kUnderflow ? 0 : y[i];
  out /= out.sum();
}

void backward_row(const float* y, const float* dy, float* dx, int64_t width) {
  const auto product = [](FloatRegister out, FloatRegister gradient) { return out * gradient; };
  const float sum = sum_over_registers(width, product, y, dy);
  for_each_register(
      dx, width, [=](FloatRegister out, FloatRegister gradient) { return out * (gradient - sum); }, y, dy);
}

void backward_row(const double* y, const double* dy, double* dx, int64_t width) {
  const auto out = as_row(y, width), gradient = as_row(dy, width);
  as_row(dx, width) = out * (gradient - (out * gradient).sum());
}

template <class T>
void forward_cpu(const T* x, T* y, Rows rows) {
  parallel_for(rows.count, rows_per_run(rows.width), [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row)
      forward_row(x + row * rows.width, y + row * rows.width, rows.width);
  });
}

template <class T>
void backward_cpu(const T* y, const T* dy, T* dx, Rows rows) {
  parallel_for(rows.count, rows_per_run(rows.width), [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row)
      backward_row(y + row * rows.width, dy + row * rows.width, dx + row * rows.width, rows.width);
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
