#include "models/nn/moe.h"

#include "models/nn/layers.h"
#include "ops/add.h"
#include "ops/linear.h"
#include "ops/moe_mlp.h"
#include "ops/normalize_gates.h"
#include "ops/select_gates.h"
#include "ops/softmax.h"

namespace limoe {

MoeLayer::MoeLayer(const ParameterArena& arena, const std::string& name, MatmulPrecision precision)
    : router(arena[name + ".router.kernel"]),
      up(arena[name + ".up.kernel"]),
      up_bias(arena[name + ".up.bias"]),
      down(arena[name + ".down.kernel"]),
      down_bias(arena[name + ".down.bias"]),
      precision(precision) {}

MoeOutputs run_moe(const MoeLayer& layer, const Var& x, const MoeInputs& inputs) {
  MoeOutputs out;
  // In the router's own dtype: f32 beside activations in bf16 (Fedus et al. 2021, "selective precision").
  out.logits = linear(as_dtype(x, layer.router.dtype()), layer.router);
  out.noisy_logits = inputs.noise.defined() ? add(out.logits, Var(inputs.noise)) : out.logits;
  out.probs = softmax(out.noisy_logits);
  out.routing = inputs.reuse ? *inputs.reuse
                             : moe_route(out.probs.value(), inputs.group_of, inputs.groups, inputs.route);
  Var gates = select_gates(out.probs, out.routing.expert_of);  // [N, K]
  if (inputs.renormalize_gates) gates = normalize_gates(gates);
  const auto part = [&](const Var& weights) { return as_dtype(weights, x.dtype()); };
  out.y = moe_mlp(x, gates, part(layer.up), part(layer.up_bias), part(layer.down), part(layer.down_bias),
                  out.routing, layer.precision);
  return out;
}

}  // namespace limoe
