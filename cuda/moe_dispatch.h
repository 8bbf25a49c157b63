// moe_dispatch on the device; the formula is in ops/moe_dispatch.h. Bound by memory: forward reads and writes
// every row once, backward reads a token's rows and writes it once; no two warps write one row.
#pragma once

#include <cstdint>

#include "cuda/stream.h"

namespace limoe::cuda {

struct DispatchSizes {
  int64_t tokens, choices, width;  // N, K, D
};

// x: [N, D]; choice_of: [N * K]; y: [N * K, D].
template <class T>
void moe_dispatch_forward(Stream stream, const T* x, const int32_t* choice_of, T* y,
                          const DispatchSizes& sizes);

// drows: [N * K, D]; row_of: [N, K]; dx: [N, D].
template <class T>
void moe_dispatch_backward(Stream stream, const T* drows, const int32_t* row_of, T* dx,
                           const DispatchSizes& sizes);

}  // namespace limoe::cuda
