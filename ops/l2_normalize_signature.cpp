#include "ops/l2_normalize.h"
#include "ops/signature.h"

namespace limoe {

OpSignature l2_normalize_signature() {
  return {.summary = "y = x / (|x| + 1e-8) over the last axis",
          .inputs = {{"x", "[..., D]"}},
          .outputs = {{"y", "[..., D]"}},
          .run = [](const OpCall& call) { return Vars{l2_normalize(call.var("x"))}; }};
}

}  // namespace limoe
