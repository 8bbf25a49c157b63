// The rungs of a matrix product, from the plainest kernel to the one ops use. README.md says what each adds.
//
//   C = A B, a [m, k], b [k, n], c [m, n], row-major and contiguous, any sizes from 1 on.
//
// The first four rungs are f32; tensor cores take bf16 and add in f32.
#pragma once

#include "cuda/stream.h"
#include "tensor/bf16.h"

namespace limoe::ladder {

struct Product {
  int m, n, k;
};

using F32Rung = void(cuda::Stream, Product, const float* a, const float* b, float* c);
using Bf16Rung = void(cuda::Stream, Product, const bf16* a, const bf16* b, float* c);

F32Rung gemm_naive, gemm_shared_tiles, gemm_register_tiles, gemm_async_copies, gemm_production;
Bf16Rung gemm_tensor_cores, gemm_production_bf16;
Bf16Rung gemm_production_warpgroups;  // where cuda::has_warpgroup_products()

}  // namespace limoe::ladder
