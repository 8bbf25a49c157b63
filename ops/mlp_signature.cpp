#include "ops/mlp.h"
#include "ops/signature.h"

namespace limoe {

OpSignature mlp_signature() {
  return {.summary = "y = gelu(x up + up_bias) down + down_bias over the last axis",
          .inputs = {{"x", "[..., D]"},
                     {"up", "[D, M]"},
                     {"up_bias", "[M]"},
                     {"down", "[M, O]"},
                     {"down_bias", "[O]"}},
          .outputs = {{"y", "[..., O]"}},
          .run = [](const OpCall& call) {
            return Vars{mlp(call.var("x"), call.var("up"), call.var("up_bias"), call.var("down"),
                            call.var("down_bias"))};
          }};
}

}  // namespace limoe
