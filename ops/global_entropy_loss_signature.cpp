#include "ops/global_entropy_loss.h"
#include "ops/signature.h"

namespace limoe {

OpSignature global_entropy_loss_signature() {
  return {.summary = "y = max(0, threshold - H(mean over tokens of softmax(logits)))",
          .inputs = {{"logits", "[N, E]", "the router's, before softmax"},
                     {.name = "group_of",
                      .shape = "[N]",
                      .meaning = "the group of each token, 0 to groups - 1; -1: not counted",
                      .kind = InputKind::integer}},
          .outputs = {{"y", "[]"}},
          .parameters = {{"threshold", ParameterType::number,
                          "entropy in nats up to which there is a loss: log(S)"},
                         {"groups", ParameterType::integer, "groups the tokens are counted in", "1"}},
          .run = [](const OpCall& call) {
            return Vars{global_entropy_loss(call.var("logits"), call.number("threshold"),
                                            call.tensor("group_of"), call.integer("groups"))};
          }};
}

}  // namespace limoe
