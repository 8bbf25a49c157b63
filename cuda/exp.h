// exp on the device; the formula is in ops/exp.h. T is float or bf16; arithmetic is in float.
#pragma once

#include <cstdint>

#include "cuda/stream.h"

namespace limoe::cuda {

template <class T>
void exp_forward(Stream stream, const T* x, T* y, int64_t count);

}  // namespace limoe::cuda
