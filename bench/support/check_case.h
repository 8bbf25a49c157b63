// A case is checked before it is timed: a fast wrong answer is worth nothing.
#pragma once

#include "bench/support/bench_case.h"

namespace limoe::bench {

// Throws Error, by the case's name, with the worst element, both values and what was allowed, unless `got`
// has the shapes of `wanted` and
//
//   |got - wanted| <= 8 * 2^-24 * sqrt(longest_sum + 1) * (rms of wanted + |wanted|)
//
// for every element of every tensor: rounding errors of f32 grow like the square root of the number of terms.
// Integers must be equal. NaN equals nothing.
void expect_agrees(const BenchCase& one, const Tensors& got, const Tensors& wanted);

// Runs the case and its reference once each, and compares.
void check_case(const BenchCase& one);

}  // namespace limoe::bench
