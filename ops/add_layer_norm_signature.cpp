#include "ops/add_layer_norm.h"
#include "ops/signature.h"

namespace limoe {

OpSignature add_layer_norm_signature() {
  return {.summary = "sum = x + addend and y = layer_norm(sum) * scale + bias over the last axis",
          .inputs = {{"x", "[..., D]"}, {"addend", "[..., D]"}, {"scale", "[D]"}, {"bias", "[D]"}},
          .outputs = {{"sum", "[..., D]"}, {"y", "[..., D]"}},
          .parameters = {{"epsilon", ParameterType::number, "added to the variance", "1e-6"}},
          .run = [](const OpCall& call) {
            return add_layer_norm(call.var("x"), call.var("addend"), call.var("scale"), call.var("bias"),
                                  call.number("epsilon"));
          }};
}

}  // namespace limoe
