#include "ops/moe_combine.h"
#include "ops/routing_inputs.h"

namespace limoe {

OpSignature moe_combine_signature() {
  return {.summary = "y[n] = sum over k of gates[n, k] rows[row_of[n, k]]",
          .inputs = with_routing_inputs({{"rows", "[N K, D]"}, {"gates", "[N, K]"}}),
          .outputs = {{"y", "[N, D]"}},
          .run = [](const OpCall& call) {
            return Vars{moe_combine(call.var("rows"), call.var("gates"), routing_of(call))};
          }};
}

}  // namespace limoe
