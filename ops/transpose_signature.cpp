#include "ops/signature.h"
#include "ops/transpose.h"

namespace limoe {

OpSignature transpose_signature() {
  return {.summary = "y = x with two axes swapped",
          .inputs = {{"x", "[...]"}},
          .outputs = {{"y", "[...]"}},
          .parameters = {{"axis-a", ParameterType::integer, "-1 is the last", "-2"},
                         {"axis-b", ParameterType::integer, "-1 is the last", "-1"}},
          .run = [](const OpCall& call) {
            return Vars{transpose(call.var("x"), call.axis("axis-a"), call.axis("axis-b"))};
          }};
}

}  // namespace limoe
