#include "ops/scale.h"
#include "ops/signature.h"

namespace limoe {

OpSignature scale_signature() {
  return {.summary = "y = factor * x",
          .inputs = {{"x", "[...]"}},
          .outputs = {{"y", "[...]"}},
          .parameters = {{"factor", ParameterType::number, "what x is multiplied by"}},
          .run = [](const OpCall& call) { return Vars{scale(call.var("x"), call.number("factor"))}; }};
}

}  // namespace limoe
