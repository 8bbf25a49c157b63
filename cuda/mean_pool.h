// mean_pool on the device; the formula is in ops/mean_pool.h. T is float or bf16; sums are float. valid: i32
// [tokens] or null. A block owns one sequence in 256 columns; a lane walks its column down the tokens.
#pragma once

#include <cstdint>

#include "cuda/stream.h"
#include "cuda/token_runs.h"

namespace limoe::cuda {

template <class T>
void mean_pool_forward(Stream stream, const T* x, const int32_t* valid, T* y, int64_t width,
                       const TokenRun* runs, int run_count);

template <class T>
void mean_pool_backward(Stream stream, const int32_t* valid, const T* dy, T* dx, int64_t width,
                        const TokenRun* runs, int run_count);

}  // namespace limoe::cuda
