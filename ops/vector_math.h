// exp() on whole registers of float, and loops over rows of them. For the .cpp files of ops.
//
//   exp(x) = 2^n e^r,   n = x / ln 2 rounded to a whole number,   r = x - n ln 2 in [-ln 2 / 2, ln 2 / 2]
//
// e^r is 1 + r + r^2 q(r), where q is the polynomial of degree 4 that agrees with (e^r - 1 - r) / r^2 at the
// Chebyshev nodes of that interval; ln 2 is taken in two parts, the first short enough for n ln 2 to be exact
// (Cody and Waite 1980). Off by at most 1.1 units in the last place for x in [-87, 88]; NaN stays NaN.
// Anything else is out of range: callers clamp, with a comparison that lets NaN through.
//
// Every lane does the same, and a row's last elements go through a register as well: so an element's value
// does not depend on where in a row it stands or at which address.
#pragma once

#include <cmath>
#include <cstring>
#include <limits>

#include "ops/registers.h"

namespace limoe {

using FloatRegister = detail::Register<float>;
constexpr int64_t kFloatLanes = detail::kLanes<float>;

inline FloatRegister vector_exp(FloatRegister x) {
  constexpr float kRounder = 0x1.8p23f;  // adding it leaves no bits behind the point
  constexpr float kLn2First = 0.693359375f, kLn2Rest = -2.12194440e-4f;
  const FloatRegister shifted = x * 1.44269504f + kRounder, n = shifted - kRounder;
  const FloatRegister r = x - n * kLn2First - n * kLn2Rest;
  FloatRegister q = r * 1.392618404e-03f + 8.363178931e-03f;
  q = q * r + 4.166655615e-02f;
  q = q * r + 1.666657627e-01f;
  q = q * r + 0.5f;
  const FloatRegister power = q * (r * r) + r + 1.0f;
#if defined(__AVX512F__)
  return (FloatRegister)_mm512_scalef_ps((__m512)power, (__m512)n);
#else
  typedef uint32_t Bits __attribute__((vector_size(detail::kRegisterBytes)));
  return power * (FloatRegister)(((Bits)shifted << 23) + (127u << 23));
#endif
}

// At least `least`, NaN let through.
inline FloatRegister at_least(FloatRegister x, float least) {
  return x < least ? least - FloatRegister{} : x;
}
inline FloatRegister at_most(FloatRegister x, float most) {
  return x > most ? most - FloatRegister{} : x;
}

// combine(...) of all lanes: of those kHalf apart, then of those half as far apart.
template <class T, int64_t kHalf = detail::kLanes<T> / 2, class Combine>
T across_lanes(detail::Register<T> x, const Combine& combine) {
  if constexpr (kHalf == 0) {
    return x[0];
  } else {
    const detail::Register<T> partner = [&]<size_t... i>(std::index_sequence<i...>) {
      return __builtin_shufflevector(x, x, int(i ^ kHalf)...);
    }
    (std::make_index_sequence<detail::kLanes<T>>());
    return across_lanes<T, kHalf / 2>(combine(x, partner), combine);
  }
}

template <class T>
T sum_of_lanes(detail::Register<T> x) {
  return across_lanes<T>(x, [](auto a, auto b) { return a + b; });
}

// The largest of x[0 .. count), -inf of none. NaNs are passed over.
inline float largest_of(const float* x, int64_t count) {
  constexpr float kNone = -std::numeric_limits<float>::infinity();
  const auto larger = [](auto a, auto b) { return a > b ? a : b; };  // b where a is NaN
  if (count < kFloatLanes) {
    float largest = kNone;
    for (int64_t i = 0; i < count; ++i) largest = larger(x[i], largest);
    return largest;
  }
  FloatRegister lanes = kNone - FloatRegister{};
  for (int64_t i = 0; i + kFloatLanes <= count; i += kFloatLanes)
    lanes = larger(detail::load_register(x + i), lanes);
  lanes = larger(detail::load_register(x + count - kFloatLanes), lanes);  // the last ones, some again
  return across_lanes<float>(lanes, larger);
}

// The sum of body(register...) over the elements of the `in`s, which all hold `count`; body of zeros must be
// 0. Lane by lane first, so the order depends on `count` alone.
template <class Body, class... In>
float sum_over_registers(int64_t count, const Body& body, const In*... in) {
  FloatRegister lanes{};
  int64_t i = 0;
  for (; i + kFloatLanes <= count; i += kFloatLanes) lanes += body(detail::load_register(in + i)...);
  if (i < count) lanes += body(detail::load_lanes(in + i, count - i)...);
  return sum_of_lanes<float>(lanes);
}

// body(register...) -> register for every element of `out` and the `in`s, which all hold `count`.
template <class Body, class... In>
void for_each_register(float* out, int64_t count, const Body& body, const In*... in) {
  int64_t i = 0;
  for (; i + kFloatLanes <= count; i += kFloatLanes)
    detail::store_register(out + i, body(detail::load_register(in + i)...));
  if (i < count) detail::store_lanes(out + i, body(detail::load_lanes(in + i, count - i)...), count - i);
}

}  // namespace limoe
