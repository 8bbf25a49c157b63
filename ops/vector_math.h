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

#include "ops/registers.h"

namespace limoe {

using FloatRegister = detail::Register<float>;
constexpr int64_t kFloatLanes = detail::kLanes<float>;

inline FloatRegister vector_exp(FloatRegister x) {
  typedef uint32_t Bits __attribute__((vector_size(detail::kRegisterBytes)));
  constexpr float kRounder = 0x1.8p23f;  // adding it leaves no bits behind the point
  constexpr float kLn2First = 0.693359375f, kLn2Rest = -2.12194440e-4f;
  const FloatRegister shifted = x * 1.44269504f + kRounder, n = shifted - kRounder;
  const FloatRegister r = x - n * kLn2First - n * kLn2Rest;
  FloatRegister q = r * 1.392618404e-03f + 8.363178931e-03f;
  q = q * r + 4.166655615e-02f;
  q = q * r + 1.666657627e-01f;
  q = q * r + 0.5f;
  const FloatRegister power = q * (r * r) + r + 1.0f;
  return power * (FloatRegister)(((Bits)shifted << 23) + (127u << 23));
}

// At least `least`, NaN let through.
inline FloatRegister at_least(FloatRegister x, float least) {
  return x < least ? least - FloatRegister{} : x;
}
inline FloatRegister at_most(FloatRegister x, float most) {
  return x > most ? most - FloatRegister{} : x;
}

// body(register...) -> register for every element of `out` and the `in`s, which all hold `count`.
template <class Body, class... In>
void for_each_register(float* out, int64_t count, const Body& body, const In*... in) {
  const auto load = [](const float* from) {
    FloatRegister loaded;
    std::memcpy(&loaded, from, sizeof(loaded));
    return loaded;
  };
  int64_t i = 0;
  for (; i + kFloatLanes <= count; i += kFloatLanes) {
    const FloatRegister result = body(load(in + i)...);
    std::memcpy(out + i, &result, sizeof(result));
  }
  if (i == count) return;
  const size_t rest = size_t(count - i) * sizeof(float);
  const auto load_rest = [rest](const float* from) {
    FloatRegister loaded{};
    std::memcpy(&loaded, from, rest);
    return loaded;
  };
  const FloatRegister result = body(load_rest(in + i)...);
  std::memcpy(out + i, &result, rest);
}

}  // namespace limoe
