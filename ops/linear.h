// linear: y = x W + b over the last axis.
//
// x [..., K], kernel W [K, M], bias b [M] or none -> y [..., M]; all f32 or all f64, on a device f32 or
// bf16 (sums in f32).
// On the CPU a `precision` of bf16 rounds f32 operands of all three products to bf16, dy among them; sums, y
// and the gradients stay f32 (ops/matmul_precision.h). f64 and devices take fp32 alone.
//
// dx = dy W^T, dW = x^T dy, db = sum of dy over all rows. Sums over rows are cut into runs that depend on the
// shape alone, so the bits do not depend on the number of threads.
#pragma once

#include "autograd/var.h"
#include "ops/matmul_precision.h"

namespace limoe {

Var linear(const Var& x, const Var& kernel, const Var& bias,
           MatmulPrecision precision = MatmulPrecision::fp32);
Var linear(const Var& x, const Var& kernel, MatmulPrecision precision = MatmulPrecision::fp32);

// bias may be undefined
Tensor linear_forward(const Tensor& x, const Tensor& kernel, const Tensor& bias,
                      MatmulPrecision precision = MatmulPrecision::fp32);
Tensor linear_backward_x(const Tensor& kernel, const Tensor& dy,
                         MatmulPrecision precision = MatmulPrecision::fp32);
// Written into `room` [K, M] where it is defined (InputGradients::room).
Tensor linear_backward_kernel(const Tensor& x, const Tensor& dy,
                              MatmulPrecision precision = MatmulPrecision::fp32, Tensor room = {});
Tensor linear_backward_bias(const Tensor& dy);

}  // namespace limoe
