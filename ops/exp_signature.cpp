#include "ops/exp.h"
#include "ops/signature.h"

namespace limoe {

OpSignature exp_signature() {
  return {.summary = "y = e^x",
          .inputs = {{"x", "[...]"}},
          .outputs = {{"y", "[...]"}},
          .run = [](const OpCall& call) { return Vars{exp(call.var("x"))}; }};
}

}  // namespace limoe
