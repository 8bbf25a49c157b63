#include "models/nn/moe.h"

#include "ops/add.h"
#include "ops/gelu.h"
#include "ops/grouped_linear.h"
#include "ops/linear.h"
#include "ops/moe_combine.h"
#include "ops/moe_dispatch.h"
#include "ops/normalize_gates.h"
#include "ops/select_gates.h"
#include "ops/softmax.h"

namespace limoe {

MoeLayer::MoeLayer(const ParameterArena& arena, const std::string& name)
    : router(arena[name + ".router.kernel"]),
      up(arena[name + ".up.kernel"]),
      up_bias(arena[name + ".up.bias"]),
      down(arena[name + ".down.kernel"]),
      down_bias(arena[name + ".down.bias"]) {}

MoeOutputs run_moe(const MoeLayer& layer, const Var& x, const MoeInputs& inputs) {
  MoeOutputs out;
  out.logits = linear(x, layer.router);
  out.noisy_logits = inputs.noise.defined() ? add(out.logits, Var(inputs.noise)) : out.logits;
  out.probs = softmax(out.noisy_logits);
  out.routing = inputs.reuse ? *inputs.reuse
                             : moe_route(out.probs.value(), inputs.group_of, inputs.groups, inputs.route);
  Var gates = select_gates(out.probs, out.routing.expert_of);  // [N, K]
  if (inputs.renormalize_gates) gates = normalize_gates(gates);
  Var rows = moe_dispatch(x, out.routing);  // [N*K, D], expert by expert
  rows = gelu(grouped_linear(rows, layer.up, layer.up_bias, out.routing.row_begin));
  rows = grouped_linear(rows, layer.down, layer.down_bias, out.routing.row_begin);
  out.y = moe_combine(rows, gates, out.routing);
  return out;
}

}  // namespace limoe
