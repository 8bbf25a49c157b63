// gelu and its gradient (ops/gelu.h) on rows of numbers, on the calling thread. For the .cpp files of ops.
#pragma once

#include "ops/eigen_maps.h"
#include "ops/vector_math.h"

namespace limoe {

inline constexpr double kGeluSlope = 0.79788456080286535588;
inline constexpr double kGeluCubic = 0.044715;

// f64: the formula as it stands, on Eigen arrays because their tanh() is vectorised.
inline void gelu_forward_rows(const double* x, double* y, int64_t count) {
  const auto in = as_row(x, count);
  as_row(y, count) = 0.5 * in * (1 + (kGeluSlope * in * (1 + kGeluCubic * in.square())).tanh());
}

inline void gelu_backward_rows(const double* x, const double* dy, double* dx, int64_t count) {
  const auto in = as_row(x, count);
  auto out = as_row(dx, count);
  out = (kGeluSlope * in * (1 + kGeluCubic * in.square())).tanh();  // t
  out = as_row(dy, count) *
        (0.5 * (1 + out) + 0.5 * in * (1 - out.square()) * (kGeluSlope * (1 + 3 * kGeluCubic * in.square())));
}

// Beyond this s is 0 or 1 to all digits of f32, and exp(2u) is still in range.
inline constexpr float kGeluFar = 10;

// exp(-2u)
inline FloatRegister exp_of_gelu_gate(FloatRegister x) {
  constexpr float kTwice = float(-2 * kGeluSlope);
  return vector_exp(x * (kTwice + kTwice * float(kGeluCubic) * (x * x)));
}

inline FloatRegister gelu_register(FloatRegister x) {
  const FloatRegister above = at_least(x, -kGeluFar);
  return above / (1.0f + exp_of_gelu_gate(at_most(above, kGeluFar)));
}

inline void gelu_forward_rows(const float* x, float* y, int64_t count) {
  for_each_register(
      y, count, [](FloatRegister x) { return gelu_register(x); }, x);
}

struct GeluRegisters {
  FloatRegister y, dx;
};

// Of one register of x and of dy.
inline GeluRegisters gelu_registers(FloatRegister x, FloatRegister dy) {
  constexpr float kTwice = float(2 * kGeluSlope);
  const FloatRegister above = at_least(x, -kGeluFar), inside = at_most(above, kGeluFar);
  const FloatRegister e = exp_of_gelu_gate(inside), s = 1.0f / (1.0f + e);
  const FloatRegister slope = inside * (kTwice + kTwice * float(3 * kGeluCubic) * (inside * inside));
  return {above / (1.0f + e), dy * (s + s * (e * s) * slope)};
}

inline void gelu_backward_rows(const float* x, const float* dy, float* dx, int64_t count) {
  for_each_register(
      dx, count, [](FloatRegister x, FloatRegister dy) { return gelu_registers(x, dy).dx; }, x, dy);
}

// y = gelu(x), and what was dy becomes dx: one exp() for both. y may be x.
inline void gelu_both_rows(const double* x, double* y, double* gradient, int64_t count) {
  const RowArray<double> dy = as_row(static_cast<const double*>(gradient), count);  // written over below
  gelu_backward_rows(x, dy.data(), gradient, count);
  gelu_forward_rows(x, y, count);
}

inline void gelu_both_rows(const float* x, float* y, float* gradient, int64_t count) {
  int64_t i = 0;
  for (; i + kFloatLanes <= count; i += kFloatLanes) {
    const auto [value, dx] =
        gelu_registers(detail::load_register(x + i), detail::load_register(gradient + i));
    detail::store_register(y + i, value);
    detail::store_register(gradient + i, dx);
  }
  if (i == count) return;
  const int64_t lanes = count - i;
  const auto [value, dx] =
      gelu_registers(detail::load_lanes(x + i, lanes), detail::load_lanes(gradient + i, lanes));
  detail::store_lanes(y + i, value, lanes);
  detail::store_lanes(gradient + i, dx, lanes);
}

}  // namespace limoe
