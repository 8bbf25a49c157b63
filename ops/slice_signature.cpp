#include "ops/signature.h"
#include "ops/slice.h"

namespace limoe {

OpSignature slice_signature() {
  return {.summary = "y = the indices begin .. end - 1 of one axis",
          .inputs = {{"x", "[...]"}},
          .outputs = {{"y", "[...]"}},
          .parameters = {{"axis", ParameterType::integer, "-1 is the last"},
                         {"begin", ParameterType::integer, "first index"},
                         {"end", ParameterType::integer, "one past the last index"}},
          .run = [](const OpCall& call) {
            return Vars{slice(call.var("x"), call.axis("axis"), call.integer("begin"), call.integer("end"))};
          }};
}

}  // namespace limoe
