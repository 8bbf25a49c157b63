#include "ops/moe_dispatch.h"
#include "ops/routing_inputs.h"

namespace limoe {

OpSignature moe_dispatch_signature() {
  return {.summary = "y[r] = x[choice_of[r] / K], 0 for a row nobody uses",
          .inputs = with_routing_inputs({{"x", "[N, D]"}}),
          .outputs = {{"y", "[N K, D]"}},
          .run = [](const OpCall& call) { return Vars{moe_dispatch(call.var("x"), routing_of(call))}; }};
}

}  // namespace limoe
