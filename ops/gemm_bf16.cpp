#include "ops/gemm_bf16.h"

#include "tensor/bf16.h"
#include "tensor/factory.h"

namespace limoe::detail {
namespace {

// The operand's memory, rounded, without what lies between its rows.
GemmOperand<float> rounded(GemmOperand<float> x, int64_t rows, int64_t columns, float* to) {
  if (x.transposed) std::swap(rows, columns);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t column = 0; column < columns; ++column)
      to[row * columns + column] = float(bf16(x.data[row * x.stride + column]));
  return {to, columns, x.transposed};
}

}  // namespace

void gemm_of_rounded(int64_t m, int64_t n, int64_t k, GemmOperand<float> a, GemmOperand<float> b, float beta,
                     float* c, int64_t c_stride, const float* bias) {
  Tensor left = empty({m * k}), right = empty({k * n});
  gemm_on_this_thread<float>(m, n, k, rounded(a, m, k, left.mutable_data<float>()),
                             rounded(b, k, n, right.mutable_data<float>()), beta, c, c_stride, bias);
}

void gemm_bf16_on_this_thread(int64_t m, int64_t n, int64_t k, GemmOperand<float> a, GemmOperand<float> b,
                              float beta, float* c, int64_t c_stride, const float* bias) {
  (bf16_products_are_fast() ? gemm_by_tiles : gemm_of_rounded)(m, n, k, a, b, beta, c, c_stride, bias);
}

}  // namespace limoe::detail
