#include "ops/matmul.h"
#include "ops/signature.h"

namespace limoe {

OpSignature batched_matmul_signature() {
  return {.summary = "y = a b for every leading index",
          .inputs = {{"a", "[B.., M, K]"}, {"b", "[B.., K, N]"}},
          .outputs = {{"y", "[B.., M, N]"}},
          .run = [](const OpCall& call) { return Vars{batched_matmul(call.var("a"), call.var("b"))}; }};
}

}  // namespace limoe
