// A mixture of experts in place of an MLP (Riquelme et al. 2021; Mustafa et al. 2022).
//
//   z = x W_router                  [N, E]   router logits, with noise N(0, (s/E)^2) in training if asked for
//   p = softmax(z)                           over all E experts, *then* the top K are chosen: that leaves the
//   router a
//                                            gradient even with K = 1
//   y_n = sum over kept choices k of p[n, e_k] * down_e(gelu(up_e(x_n)))
//
// A token all of whose choices are dropped gets 0 here; the block's residual connection carries it on.
// Which expert, which place and who is dropped is decided by ops/moe_route.h.
#pragma once

#include <string>

#include "autograd/parameter.h"
#include "ops/matmul_precision.h"
#include "ops/moe_route.h"

namespace limoe {

struct MoeLayer {
  Var router;                 // [D, E]
  Var up, up_bias;            // [E, D, M], [E, M]
  Var down, down_bias;        // [E, M, D], [E, D]
  MatmulPrecision precision;  // of the experts; routers compute in fp32
  MoeLayer(const ParameterArena& arena, const std::string& name, MatmulPrecision precision);
};

struct MoeInputs {
  Tensor group_of;  // i32 [N]: who is routed with whom; -1 is not routed
  int64_t groups = 1;
  RouteOptions route;
  bool renormalize_gates = false;
  Tensor noise;                    // [N, E] to add to the logits, or undefined
  const Routing* reuse = nullptr;  // a routing decided before, or null
};

struct MoeOutputs {
  Var y;             // [N, D]
  Var logits;        // [N, E], without noise
  Var noisy_logits;  // [N, E], what was routed by; `logits` itself without noise
  Var probs;         // [N, E], softmax of noisy_logits
  Routing routing;
};

MoeOutputs run_moe(const MoeLayer& layer, const Var& x, const MoeInputs& inputs);

}  // namespace limoe
