#include "ops/router_z_loss.h"
#include "ops/signature.h"

namespace limoe {

OpSignature router_z_loss_signature() {
  return {.summary = "y = mean over tokens of (log sum exp(logits))^2",
          .inputs = {{"logits", "[N, E]", "the router's, before softmax"},
                     {.name = "group_of",
                      .shape = "[N]",
                      .meaning = "the group of each token, 0 to groups - 1; -1: not counted",
                      .kind = InputKind::integer}},
          .outputs = {{"y", "[]"}},
          .parameters = {{"groups", ParameterType::integer, "groups the tokens are counted in", "1"}},
          .run = [](const OpCall& call) {
            return Vars{router_z_loss(call.var("logits"), call.tensor("group_of"), call.integer("groups"))};
          }};
}

}  // namespace limoe
