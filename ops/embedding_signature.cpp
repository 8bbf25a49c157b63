#include "ops/embedding.h"
#include "ops/signature.h"

namespace limoe {

OpSignature embedding_signature() {
  return {.summary = "y[t] = table[ids[t]]",
          .inputs = {{"table", "[V, D]"},
                     {.name = "ids", .shape = "[...]", .meaning = "0 to V - 1", .kind = InputKind::integer}},
          .outputs = {{"y", "[..., D]"}},
          .run = [](const OpCall& call) { return Vars{embedding(call.var("table"), call.tensor("ids"))}; }};
}

}  // namespace limoe
