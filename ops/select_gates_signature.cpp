#include "ops/select_gates.h"
#include "ops/signature.h"

namespace limoe {

OpSignature select_gates_signature() {
  return {.summary = "y[n, k] = probs[n, expert_of[n, k]], 0 where expert_of is -1",
          .inputs = {{"probs", "[N, E]", "the router's probabilities"},
                     {.name = "expert_of",
                      .shape = "[N, K]",
                      .meaning = "0 to E - 1, or -1",
                      .kind = InputKind::integer}},
          .outputs = {{"y", "[N, K]"}},
          .run = [](const OpCall& call) {
            return Vars{select_gates(call.var("probs"), call.tensor("expert_of"))};
          }};
}

}  // namespace limoe
