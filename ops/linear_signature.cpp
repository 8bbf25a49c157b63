#include "ops/linear.h"
#include "ops/signature.h"

namespace limoe {

OpSignature linear_signature() {
  return {.summary = "y = x kernel + bias over the last axis",
          .inputs = {{"x", "[..., K]"},
                     {"kernel", "[K, M]"},
                     {.name = "bias", .shape = "[M]", .meaning = "absent: none is added", .optional = true}},
          .outputs = {{"y", "[..., M]"}},
          .run = [](const OpCall& call) {
            const Var bias = call.var("bias");
            if (!bias.value().defined()) return Vars{linear(call.var("x"), call.var("kernel"))};
            return Vars{linear(call.var("x"), call.var("kernel"), bias)};
          }};
}

}  // namespace limoe
