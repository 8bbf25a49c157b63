// Matrix products of random operands, and their definition: what tests hold gemm() to.
#pragma once

#include "ops/gemm.h"
#include "tensor/factory.h"
#include "tests/support/op_case.h"

namespace limoe::testing {

struct Product {
  int64_t m, n, k;
  bool a_transposed = false, b_transposed = false;
  int64_t apart = 0;  // elements between the rows of every operand, and of C
};

template <class T>
using Gemm = void (*)(int64_t, int64_t, int64_t, GemmOperand<T>, GemmOperand<T>, T, T*, int64_t);

template <class T>
struct Operands {
  explicit Operands(const Product& of)
      : a(to_dtype(
            normal({of.a_transposed ? of.k : of.m, (of.a_transposed ? of.m : of.k) + of.apart}, 1, 0.5),
            dtype_of<T>)),
        b(to_dtype(
            normal({of.b_transposed ? of.n : of.k, (of.b_transposed ? of.k : of.n) + of.apart}, 2, 0.5),
            dtype_of<T>)),
        c(to_dtype(normal({of.m, of.n + of.apart}, 3), dtype_of<T>)) {}

  Tensor a, b, c;

  void run(const Product& of, Gemm<T> gemm, T beta) {
    gemm(of.m, of.n, of.k, {a.data<T>(), a.dim(1), of.a_transposed}, {b.data<T>(), b.dim(1), of.b_transposed},
         beta, c.mutable_data<T>(), c.dim(1));
  }
};

// By its definition, in double.
template <class T>
void naive(int64_t m, int64_t n, int64_t k, GemmOperand<T> a, GemmOperand<T> b, T beta, T* c,
           int64_t c_stride) {
  const auto at = [](GemmOperand<T> x, int64_t row, int64_t column) {
    return double(x.data[x.transposed ? column * x.stride + row : row * x.stride + column]);
  };
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) {
      double sum = beta == T(0) ? 0 : double(c[i * c_stride + j]);
      for (int64_t p = 0; p < k; ++p) sum += at(a, i, p) * at(b, p, j);
      c[i * c_stride + j] = T(sum);
    }
}

template <class T>
Tensor result(const Product& of, Gemm<T> gemm, T beta) {
  Operands<T> operands(of);
  operands.run(of, gemm, beta);
  return operands.c;
}

}  // namespace limoe::testing
