// accumulate: sum += addend, element by element, on the device: how gradients that meet are added.
//
// T is float, bf16 or int32_t; bf16 is added in float and rounded once. sum and addend do not overlap.
#pragma once

#include <cstdint>

#include "cuda/stream.h"

namespace limoe::cuda {

template <class T>
void accumulate(Stream stream, T* sum, const T* addend, int64_t count);

}  // namespace limoe::cuda
