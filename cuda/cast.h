// cast on the device: y = x in another dtype, bf16 rounded to nearest, ties to even.
//
// From and To: float to bf16, bf16 to float, or int32_t to either.
#pragma once

#include <cstdint>

#include "cuda/stream.h"

namespace limoe::cuda {

template <class From, class To>
void cast(Stream stream, const From* x, To* y, int64_t count);

}  // namespace limoe::cuda
