#include "ops/layer_norm.h"
#include "ops/signature.h"

namespace limoe {

OpSignature layer_norm_signature() {
  return {
      .summary = "y = (x - mean) / sqrt(variance + epsilon) * scale + bias over the last axis",
      .inputs = {{"x", "[..., D]"}, {"scale", "[D]"}, {"bias", "[D]"}},
      .outputs = {{"y", "[..., D]"}},
      .parameters = {{"epsilon", ParameterType::number, "added to the variance", "1e-6"}},
      .run = [](const OpCall& call) {
        return Vars{layer_norm(call.var("x"), call.var("scale"), call.var("bias"), call.number("epsilon"))};
      }};
}

}  // namespace limoe
