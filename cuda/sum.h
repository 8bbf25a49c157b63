// sum on the device: the sum of all elements, and its gradient. T is float or bf16; sums are float.
//
// Two stages in an order that depends on the count alone: every block adds up a run of elements (lanes stride
// through it, then a butterfly), and one block adds up the blocks' sums. partials:
// [sum_partial_count(count)].
#pragma once

#include <cstdint>

#include "cuda/stream.h"

namespace limoe::cuda {

int64_t sum_partial_count(int64_t count);

template <class T>
void sum_forward(Stream stream, const T* x, float* partials, T* y, int64_t count);

// dx[i] = *dy
template <class T>
void sum_backward(Stream stream, const T* dy, T* dx, int64_t count);

}  // namespace limoe::cuda
