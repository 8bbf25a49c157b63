#include "ops/mul.h"
#include "ops/signature.h"

namespace limoe {

OpSignature mul_signature() {
  return {.summary = "y = a * b, element by element",
          .inputs = {{"a", "[...]"}, {"b", "[...]"}},
          .outputs = {{"y", "[...]"}},
          .run = [](const OpCall& call) { return Vars{mul(call.var("a"), call.var("b"))}; }};
}

}  // namespace limoe
