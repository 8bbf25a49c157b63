// matmul: c = a b;   batched_matmul: the same for every leading index.
//
// matmul: a [M, K], b [K, N] -> c [M, N]. batched_matmul: a [B.., M, K], b [B.., K, N] -> [B.., M, N],
// leading axes equal. All f32 or all f64, on a device f32 or bf16. da = dc b^T, db = a^T dc.
#pragma once

#include "autograd/var.h"

namespace limoe {

Var matmul(const Var& a, const Var& b);
Var batched_matmul(const Var& a, const Var& b);

// op(a) op(b), where op transposes the last two axes if asked. Rank 2 or more, leading axes equal.
struct Transposed {
  bool a = false, b = false;
};
Tensor matmul_forward(const Tensor& a, const Tensor& b, Transposed transposed = {});

}  // namespace limoe
