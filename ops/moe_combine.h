// moe_combine: the experts' rows back to tokens.   y[n] = sum_k gates[n, k] * rows[row_of[n, k]]
//
// rows: [N * K, D]; gates: [N, K]; routing: of N tokens and K choices each (ops/moe_route.h); y: [N, D]; all
// f32 or f64; on a device f32 or bf16, and gates may be f32 beside the others in bf16. A dropped choice adds
// nothing; a token all of whose choices are dropped gets 0.
//
//   dgates[n, k] = <dy[n], rows[row_of[n, k]]>, 0 for a dropped choice
//   drows[r]     = gates[choice_of[r]] * dy[choice_of[r] / K], 0 for a row nobody uses
#pragma once

#include "autograd/var.h"
#include "ops/moe_route.h"

namespace limoe {

Var moe_combine(const Var& rows, const Var& gates, const Routing& routing);

Tensor moe_combine_forward(const Tensor& rows, const Tensor& gates, const Routing& routing);
Tensor moe_combine_backward_rows(const Tensor& gates, const Routing& routing, const Tensor& dy);
// `dtype`: that of the gates.
Tensor moe_combine_backward_gates(const Tensor& rows, const Routing& routing, const Tensor& dy, DType dtype);

}  // namespace limoe
