// moe_dispatch: tokens into the expert buffer.   rows[r] = x[choice_of[r] / K], and 0 for a row nobody uses
//
// x: [N, D], f32 or f64 (on a device f32 or bf16); routing: of N tokens and K choices each (ops/moe_route.h);
// rows: [N * K, D]. dx[n] = the sum over k of drows[row_of[n, k]], in the order of k, dropped choices left
// out: a gather through the inverse table, so that no two threads add into one row.
#pragma once

#include "autograd/var.h"
#include "ops/moe_route.h"

namespace limoe {

Var moe_dispatch(const Var& x, const Routing& routing);

Tensor moe_dispatch_forward(const Tensor& x, const Routing& routing);
Tensor moe_dispatch_backward(const Routing& routing, const Tensor& drows);

}  // namespace limoe
