#include "ops/gelu.h"
#include "ops/signature.h"

namespace limoe {

OpSignature gelu_signature() {
  return {.summary = "y = x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))",
          .inputs = {{"x", "[...]"}},
          .outputs = {{"y", "[...]"}},
          .run = [](const OpCall& call) { return Vars{gelu(call.var("x"))}; }};
}

}  // namespace limoe
