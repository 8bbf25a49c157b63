// gelu on the device; the formula is in ops/gelu.h. T is float or bf16; arithmetic is in float.
#pragma once

#include <cstdint>

#include "cuda/stream.h"

namespace limoe::cuda {

template <class T>
void gelu_forward(Stream stream, const T* x, T* y, int64_t count);

template <class T>
void gelu_backward(Stream stream, const T* x, const T* dy, T* dx, int64_t count);

}  // namespace limoe::cuda
