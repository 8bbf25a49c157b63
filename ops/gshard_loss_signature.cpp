#include "ops/gshard_loss.h"
#include "ops/signature.h"

namespace limoe {

OpSignature gshard_loss_signature() {
  return {.summary = "y = E sum over experts of (share of first choices) (mean probability)",
          .inputs = {{"probs", "[N, E]", "the router's probabilities"},
                     {.name = "group_of",
                      .shape = "[N]",
                      .meaning = "the group of each token, 0 to groups - 1; -1: not counted",
                      .kind = InputKind::integer}},
          .outputs = {{"y", "[]"}},
          .parameters = {{"groups", ParameterType::integer, "groups the tokens are counted in", "1"}},
          .run = [](const OpCall& call) {
            return Vars{gshard_loss(call.var("probs"), call.tensor("group_of"), call.integer("groups"))};
          }};
}

}  // namespace limoe
