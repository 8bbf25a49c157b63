// mul on the device; the formula is in ops/mul.h. T is float or bf16; arithmetic is in float.
#pragma once

#include <cstdint>

#include "cuda/stream.h"

namespace limoe::cuda {

template <class T>
void mul_forward(Stream stream, const T* a, const T* b, T* y, int64_t count);

}  // namespace limoe::cuda
