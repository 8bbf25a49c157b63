#include "ops/load_loss.h"
#include "ops/signature.h"

namespace limoe {

OpSignature load_loss_signature() {
  return {
      .summary = "y = (std / mean)^2 over experts of their chance to be chosen, were the noise drawn anew",
      .inputs = {{"logits", "[N, E]", "without noise"},
                 {"noisy_logits", "[N, E]"},
                 {.name = "group_of",
                  .shape = "[N]",
                  .meaning = "the group of each token, 0 to groups - 1; -1: not counted",
                  .kind = InputKind::integer}},
      .outputs = {{"y", "[]"}},
      .parameters = {{"experts-per-token", ParameterType::integer, "K", "1"},
                     {"noise-deviation", ParameterType::number, "standard deviation of the noise, above 0"},
                     {"groups", ParameterType::integer, "groups the tokens are counted in", "1"}},
      .run = [](const OpCall& call) {
        return Vars{load_loss(call.var("logits"), call.var("noisy_logits"), call.integer("experts-per-token"),
                              call.number("noise-deviation"), call.tensor("group_of"),
                              call.integer("groups"))};
      }};
}

}  // namespace limoe
