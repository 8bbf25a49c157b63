// The length of a whole gradient on the device, and the bound on it; formulas in ops/gradient_norm.h. T is
// float or bf16; squares are added in double, which neither overflows nor loses a small gradient.
//
// Two stages in an order that depends on the count alone, as in sum.h; the norm stays on the device, and the
// clipping kernel reads it there.
#pragma once

#include <cstdint>

#include "cuda/stream.h"

namespace limoe::cuda {

int64_t gradient_norm_partial_count(int64_t count);

// partials [gradient_norm_partial_count(count)]; norm []
template <class T>
void gradient_norm(Stream stream, const T* gradients, double* partials, double* norm, int64_t count);

// gradients *= most / norm where the norm is finite and above most.
template <class T>
void clip_by_norm(Stream stream, T* gradients, const double* norm, double most, int64_t count);

}  // namespace limoe::cuda
