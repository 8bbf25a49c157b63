// Matrix products by Eigen: the readable twin of gemm_on_this_thread(), which is tested and timed against it.
#pragma once

#include "ops/gemm.h"

namespace limoe {

template <class T>
void gemm_by_eigen(int64_t m, int64_t n, int64_t k, GemmOperand<T> a, GemmOperand<T> b, T beta, T* c,
                   int64_t c_stride);

}  // namespace limoe
