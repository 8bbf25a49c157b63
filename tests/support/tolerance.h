// Every tolerance of the test suite, and the reason for each. A test never invents one.
#pragma once

#include <cmath>
#include <cstdint>

namespace limoe::tolerance {

// An allowed error: |got - wanted| <= absolute + relative * |wanted|.
struct Allowed {
  double absolute = 0;
  double relative = 0;
};

inline constexpr Allowed kExact{};

// The defaults of torch.autograd.gradcheck in f64. Central differences with a step of 1e-6 have a truncation
// error of about 1e-12 times the third derivative and a rounding error of about 1e-16 / 1e-6 = 1e-10.
inline constexpr double kGradcheckStep = 1e-6;
inline constexpr Allowed kGradcheck{1e-5, 1e-3};

// f32 against f64 where the longest sum has `terms` terms of size up to about 1: rounding errors of 2^-24
// each grow like the square root of their number; 8 covers what the elementary functions add.
inline Allowed f32_sum(int64_t terms) {
  const double error = 8 * 0x1p-24 * std::sqrt(double(terms) + 1);
  return {error, error};
}

// f64 against golden values that were written as f64: only the order of summation differs.
inline constexpr Allowed kGoldenF64{1e-12, 1e-10};

// Linear probes by Cholesky against an eigendecomposition, both f64: the systems have condition numbers up to
// 1e9 (a bias column of 100, l2 of 2^-10), which leaves seven digits.
inline constexpr Allowed kRidgeProbe{1e-6, 1e-6};

// Against a constant that is written down with so many decimals: half a unit of the last one, and a little
// for the rounding of the constant itself.
inline Allowed printed(int decimals) {
  return {0.51 * std::pow(10.0, -decimals), 0};
}

// A device against f64 on the CPU, as sum((got - wanted)^2) / sum(wanted^2): the goals of this project. bf16
// keeps 8 bits, so rounding an output once costs about (2^-9)^2 / 3 = 1.3e-6; what is rounded between two
// kernels adds to it.
inline constexpr double kDeviceNmseF32 = 1e-7;
inline constexpr double kDeviceNmseBf16 = 1e-4;

// Normal random numbers of a device against the CPU's, by the deviation: up to 6 deviations times the few
// last bits in which two logf() and two cosf() may differ.
inline constexpr Allowed kDeviceNormal{4e-6, 4e-6};

// A whole small model in f32 against PyTorch in f32: the goal of this project.
inline constexpr Allowed kModelF32{1e-4, 1e-4};

// The loss of a small model whose activations are rounded to bf16 (2^-9 each) between all kernels, against
// f32: a few roundings in a row at a loss of about 2.
inline constexpr Allowed kModelBf16{2e-2, 2e-2};

}  // namespace limoe::tolerance
