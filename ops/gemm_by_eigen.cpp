#include "ops/gemm_by_eigen.h"

#include "ops/eigen_maps.h"

namespace limoe {
namespace {

template <class A, class B, class C, class T>
void multiply(const A& a, const B& b, T beta, C&& c) {
  if (beta == T(0))
    c.noalias() = a * b;
  else
    c.noalias() += a * b;
}

}  // namespace

template <class T>
void gemm_by_eigen(int64_t m, int64_t n, int64_t k, GemmOperand<T> a, GemmOperand<T> b, T beta, T* c,
                   int64_t c_stride) {
  if (m == 0 || n == 0) return;
  auto out = as_matrix(c, m, n, c_stride);
  if (k == 0) {
    if (beta == T(0)) out.setZero();
    return;
  }
  if (!a.transposed && !b.transposed)
    multiply(as_matrix(a.data, m, k, a.stride), as_matrix(b.data, k, n, b.stride), beta, out);
  else if (!a.transposed)
    multiply(as_matrix(a.data, m, k, a.stride), as_matrix(b.data, n, k, b.stride).transpose(), beta, out);
  else if (!b.transposed)
    multiply(as_matrix(a.data, k, m, a.stride).transpose(), as_matrix(b.data, k, n, b.stride), beta, out);
  else
    multiply(as_matrix(a.data, k, m, a.stride).transpose(), as_matrix(b.data, n, k, b.stride).transpose(),
             beta, out);
}

template void gemm_by_eigen(int64_t, int64_t, int64_t, GemmOperand<float>, GemmOperand<float>, float, float*,
                            int64_t);
template void gemm_by_eigen(int64_t, int64_t, int64_t, GemmOperand<double>, GemmOperand<double>, double,
                            double*, int64_t);

}  // namespace limoe
