#include "ops/cast.h"
#include "ops/signature.h"

namespace limoe {

OpSignature cast_signature() {
  return {.summary = "y = x in another dtype, rounded to nearest",
          .inputs = {{"x", "[...]"}},
          .outputs = {{"y", "[...]"}},
          .parameters = {{"to", ParameterType::word, "f32, bf16, i32 or f64"}},
          .run = [](const OpCall& call) { return Vars{cast(call.var("x"), parse_dtype(call.word("to")))}; }};
}

}  // namespace limoe
