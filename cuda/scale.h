// scale on the device; the formula is in ops/scale.h. T is float or bf16; arithmetic is in float.
#pragma once

#include <cstdint>

#include "cuda/stream.h"

namespace limoe::cuda {

template <class T>
void scale_forward(Stream stream, const T* x, float factor, T* y, int64_t count);

}  // namespace limoe::cuda
