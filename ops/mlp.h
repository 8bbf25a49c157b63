// mlp: y = gelu(x W1 + b1) W2 + b2 over the last axis: the MLP of a Transformer's block.
// grouped_mlp: the experts' MLPs, each on its rows as in ops/grouped_linear.h; rows that nobody uses give 0.
//
// x [..., D]; W1 = up [D, M], b1 = up_bias [M], W2 = down [M, O], b2 = down_bias [O] -> y [..., O]. Of
// experts: rows [R, D], the weights with an axis [E] in front, row_begin i32 [E + 1] -> y [R, O]. All f32 or
// all f64, on a device f32 or bf16; `precision` is that of ops/linear.h. gelu is that of ops/gelu.h.
//
// With h = x W1 + b1 and g = gelu(h):
//
//   dh = (dy W2^T) gelu'(h)    dx = dh W1^T    dW2 = g^T dy    dW1 = x^T dh    db2, db1: sums of dy, dh
//
// h is kept for the way back and g computed again from it: half the memory of linear(gelu(linear(x))). On the
// CPU small kernels go by blocks of rows (ops/mlp_blocks.h).
#pragma once

#include "autograd/var.h"
#include "ops/matmul_precision.h"

namespace limoe {

Var mlp(const Var& x, const Var& up, const Var& up_bias, const Var& down, const Var& down_bias,
        MatmulPrecision precision = MatmulPrecision::fp32);

Var grouped_mlp(const Var& rows, const Var& up, const Var& up_bias, const Var& down, const Var& down_bias,
                const Tensor& row_begin, MatmulPrecision precision = MatmulPrecision::fp32);

}  // namespace limoe
