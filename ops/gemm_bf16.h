// Products of f32 matrices whose elements are rounded to bf16 first (ops/matmul_precision.h): what
// gemm_on_this_thread() of ops/gemm.h does for MatmulPrecision::bf16, with the same arguments.
//
// With tiles, k is taken 32 at a time: of those the even and the odd products are added up by themselves,
// then both are added to the element (TDPBF16PS in Intel's manual). That depends on k alone, so here too how
// C is cut does not show in the bits. Numbers below 2^-126 count as 0 there.
//
// For the .cpp files of ops.
#pragma once

#include "ops/gemm.h"
#include "ops/matmul_precision.h"

namespace limoe::detail {

void gemm_bf16_on_this_thread(int64_t m, int64_t n, int64_t k, GemmOperand<float> a, GemmOperand<float> b,
                              float beta, float* c, int64_t c_stride, const float* bias);

// By rounded copies and the products of f32, for processors without tiles.
void gemm_of_rounded(int64_t m, int64_t n, int64_t k, GemmOperand<float> a, GemmOperand<float> b, float beta,
                     float* c, int64_t c_stride, const float* bias);

// By tiles. Only where bf16_products_are_fast().
void gemm_by_tiles(int64_t m, int64_t n, int64_t k, GemmOperand<float> a, GemmOperand<float> b, float beta,
                   float* c, int64_t c_stride, const float* bias);

}  // namespace limoe::detail
