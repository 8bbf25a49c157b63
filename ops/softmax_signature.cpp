#include "ops/signature.h"
#include "ops/softmax.h"

namespace limoe {

OpSignature softmax_signature() {
  return {.summary = "y = exp(x) / sum(exp(x)) over the last axis",
          .inputs = {{"x", "[..., D]"}},
          .outputs = {{"y", "[..., D]"}},
          .run = [](const OpCall& call) { return Vars{softmax(call.var("x"))}; }};
}

}  // namespace limoe
