// Comparing tensors. The first mismatch that matters, the worst one, is named with its index, both values and
// what was allowed. NaN equals nothing: every comparison is written so that NaN fails.
#pragma once

#include <string>

#include "tensor/tensor.h"
#include "tests/support/tolerance.h"

namespace limoe::testing {

struct Comparison {
  bool ok = true;
  std::string message;  // why not
};

// Shapes must be equal; dtypes may differ.
Comparison close(const Tensor& got, const Tensor& wanted, tolerance::Allowed allowed);

// sum((got - wanted)^2) <= allowed * sum((wanted)^2); where all of wanted is 0, all of got has to be.
Comparison close_in_mean(const Tensor& got, const Tensor& wanted, double allowed);

// Bit for bit, dtype included; two NaNs of the same bits are the same bits.
Comparison same_bits(const Tensor& got, const Tensor& wanted);

}  // namespace limoe::testing

// Both as doctest checks.
#define CHECK_CLOSE(got, wanted, allowed)                                        \
  do {                                                                           \
    const auto comparison = ::limoe::testing::close((got), (wanted), (allowed)); \
    CHECK_MESSAGE(comparison.ok, comparison.message);                            \
  } while (false)
#define CHECK_SAME_BITS(got, wanted)                                      \
  do {                                                                    \
    const auto comparison = ::limoe::testing::same_bits((got), (wanted)); \
    CHECK_MESSAGE(comparison.ok, comparison.message);                     \
  } while (false)
