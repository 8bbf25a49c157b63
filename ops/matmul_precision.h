// How exactly linear layers multiply on the CPU.
//
//   fp32   operands as they are
//   bf16   f32 operands are rounded to bf16 (8 bits of mantissa) first; their products are exact in f32, and
//          sums stay in f32. PyTorch calls this float32_matmul_precision "medium", JAX matmul precision
//          "bfloat16".
//
// Where the processor has matrix tiles (AMX) bf16 is several times faster. Elsewhere it gives the same
// products, added in another order, and is slower than fp32.
#pragma once

namespace limoe {

enum class MatmulPrecision { fp32, bf16 };

// Whether this processor has tiles, the system lets us use them, and this is a build for x86-64-v4.
bool bf16_products_are_fast();

}  // namespace limoe
