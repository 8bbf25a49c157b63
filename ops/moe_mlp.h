// moe_mlp: tokens through the experts they were routed to, and back.
//
//   y[n] = sum over kept choices k of gates[n, k] * mlp_e(x[n]),   e = expert_of[n, k]
//
// It is moe_combine(grouped_mlp(moe_dispatch(x))), with the bits of the three; see their headers for what
// goes in, for the gradients, and for what a dropped choice gives. x [N, D], gates [N, K], weights as
// grouped_mlp's (ops/mlp.h), routing of N tokens and K choices each (ops/moe_route.h) -> y [N, O].
//
// On the CPU, with one choice a token and kernels small enough to go by blocks (ops/mlp_blocks.h), it is one
// pass: a block's tokens are gathered and its results scattered while they are in the cache. Elsewhere it is
// the three ops.
#pragma once

#include "autograd/var.h"
#include "ops/matmul_precision.h"
#include "ops/moe_route.h"

namespace limoe {

Var moe_mlp(const Var& x, const Var& gates, const Var& up, const Var& up_bias, const Var& down,
            const Var& down_bias, const Routing& routing, MatmulPrecision precision = MatmulPrecision::fp32);

}  // namespace limoe
