#include "ops/reshape.h"
#include "ops/signature.h"

namespace limoe {

OpSignature reshape_signature() {
  return {.summary = "y = the same elements in row-major order under another shape",
          .inputs = {{"x", "[...]"}},
          .outputs = {{"y", "[shape]"}},
          .parameters = {{"shape", ParameterType::shape, "sizes of y: 2,3,4"}},
          .run = [](const OpCall& call) { return Vars{reshape(call.var("x"), call.shape("shape"))}; }};
}

}  // namespace limoe
