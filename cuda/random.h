// Normal random numbers on the device: the generator of tensor/random.h, which is a pure function of (seed,
// stream, index), so the host draws the same but for the last bits of logf and cosf.
//
// Lanes stride over elements; bound by arithmetic (ten rounds of Philox an element).
#pragma once

#include <cstdint>

#include "cuda/stream.h"
#include "tensor/random.h"

namespace limoe::cuda {

// T: float or bf16.
template <class T>
void draw_normal(Stream stream, T* to, int64_t count, const NormalDraws& draws);

}  // namespace limoe::cuda
