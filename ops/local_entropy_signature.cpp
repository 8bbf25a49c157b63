#include "ops/local_entropy.h"
#include "ops/signature.h"

namespace limoe {

OpSignature local_entropy_signature() {
  return {.summary = "y = mean over tokens of H(softmax(logits))",
          .inputs = {{"logits", "[N, E]", "the router's, before softmax"},
                     {.name = "group_of",
                      .shape = "[N]",
                      .meaning = "the group of each token, 0 to groups - 1; -1: not counted",
                      .kind = InputKind::integer}},
          .outputs = {{"y", "[]"}},
          .parameters = {{"groups", ParameterType::integer, "groups the tokens are counted in", "1"}},
          .run = [](const OpCall& call) {
            return Vars{local_entropy(call.var("logits"), call.tensor("group_of"), call.integer("groups"))};
          }};
}

}  // namespace limoe
