// Matrix products on plain host memory, row-major.   C = beta * C + op(A) * op(B)
//
// op(A) is [m, k], op(B) is [k, n], C is [m, n]; op(X) is X, or X transposed when the operand says so. beta
// is 0 (C is only written; it may hold anything) or 1 (C is added to).
//
// With a bias [n], which goes with beta 0, every row of C starts from it: it costs nothing then.
//
// An element's sum is taken in the order of k, whichever way C is cut into tiles, so threads share tiles of C
// as many as suits them. When k is much longer than C is large, as in weight gradients, they share runs of k
// instead and the partial products are added in order; that cut depends on m, n and k alone. So the bits do
// not depend on the number of threads.
//
// A precision of bf16 rounds the elements of f32 operands first (ops/matmul_precision.h); those of f64 are
// taken as they are.
#pragma once

#include <cstdint>

#include "ops/matmul_precision.h"

namespace limoe {

template <class T>
struct GemmOperand {
  const T* data;
  int64_t stride;           // between rows as they lie in memory
  bool transposed = false;  // memory holds the transpose of the operand

  // op(X) without what is above `row` and left of `column`.
  GemmOperand from(int64_t row, int64_t column) const {
    return {data + (transposed ? column * stride + row : row * stride + column), stride, transposed};
  }
};

template <class T>
void gemm(int64_t m, int64_t n, int64_t k, GemmOperand<T> a, GemmOperand<T> b, T beta, T* c, int64_t c_stride,
          const T* bias = nullptr, MatmulPrecision precision = MatmulPrecision::fp32);

// The same on the calling thread alone: for work that is parallel at a higher level (heads, experts).
template <class T>
void gemm_on_this_thread(int64_t m, int64_t n, int64_t k, GemmOperand<T> a, GemmOperand<T> b, T beta, T* c,
                         int64_t c_stride, const T* bias = nullptr,
                         MatmulPrecision precision = MatmulPrecision::fp32);

}  // namespace limoe
