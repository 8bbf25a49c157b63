#include "ops/matmul.h"
#include "ops/signature.h"

namespace limoe {

OpSignature matmul_signature() {
  return {.summary = "y = a b",
          .inputs = {{"a", "[M, K]"}, {"b", "[K, N]"}},
          .outputs = {{"y", "[M, N]"}},
          .run = [](const OpCall& call) { return Vars{matmul(call.var("a"), call.var("b"))}; }};
}

}  // namespace limoe
