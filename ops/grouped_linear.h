// grouped_linear: the experts' linear layers, each on its own rows.
//
//   y[r] = rows[r] * kernel[e] + bias[e]   for row_begin[e] <= r < row_begin[e + 1]
//   y[r] = 0                               for r >= row_begin[E], rows that nobody uses
//
// rows: [R, K]; kernel: [E, K, M]; bias: [E, M]; y: [R, M]; all f32 or f64, on a
// device f32 or bf16. row_begin: i32 [E + 1], from 0,
// never descending, at most R (ops/moe_route.h). An expert may have any number of rows, none included.
//
//   drows[r] = dy[r] * kernel[e]^T (0 for an unused row)
//   dkernel[e] = rows_e^T * dy_e     dbias[e] = the sum of dy_e's rows; both 0 for an expert without rows
//
// `precision` is that of ops/linear.h.
//
// Work goes by the true counts: threads share tiles of an expert's rows, or tiles of its kernel's gradient,
// and take the next one when they are done, so that uneven loads keep all of them busy. The cut depends on
// sizes and counts alone, so the bits do not depend on the number of threads.
#pragma once

#include "autograd/var.h"
#include "ops/matmul_precision.h"

namespace limoe {

Var grouped_linear(const Var& rows, const Var& kernel, const Var& bias, const Tensor& row_begin,
                   MatmulPrecision precision = MatmulPrecision::fp32);

Tensor grouped_linear_forward(const Tensor& rows, const Tensor& kernel, const Tensor& bias,
                              const Tensor& row_begin, MatmulPrecision precision = MatmulPrecision::fp32);
Tensor grouped_linear_backward_rows(const Tensor& kernel, const Tensor& row_begin, const Tensor& dy,
                                    MatmulPrecision precision = MatmulPrecision::fp32);
// Written into `room` [E, K, M] where it is defined (InputGradients::room).
Tensor grouped_linear_backward_kernel(const Tensor& rows, const Tensor& row_begin, const Tensor& dy,
                                      MatmulPrecision precision = MatmulPrecision::fp32, Tensor room = {});
Tensor grouped_linear_backward_bias(const Tensor& row_begin, const Tensor& dy);

}  // namespace limoe
