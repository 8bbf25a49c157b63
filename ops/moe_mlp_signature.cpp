#include "ops/moe_mlp.h"
#include "ops/routing_inputs.h"

namespace limoe {

OpSignature moe_mlp_signature() {
  return {.summary = "y[n] = sum over k of gates[n, k] mlp(x[n]) of expert expert_of[n, k]",
          .inputs = with_routing_inputs({{"x", "[N, D]"},
                                         {"gates", "[N, K]"},
                                         {"up", "[E, D, M]"},
                                         {"up_bias", "[E, M]"},
                                         {"down", "[E, M, O]"},
                                         {"down_bias", "[E, O]"}}),
          .outputs = {{"y", "[N, O]"}},
          .run = [](const OpCall& call) {
            return Vars{moe_mlp(call.var("x"), call.var("gates"), call.var("up"), call.var("up_bias"),
                                call.var("down"), call.var("down_bias"), routing_of(call))};
          }};
}

}  // namespace limoe
