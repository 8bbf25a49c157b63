#include "ops/patchify.h"
#include "ops/signature.h"

namespace limoe {

OpSignature patchify_signature() {
  return {
      .summary = "y = pictures cut into squares, each laid out as one row (y, x, channel)",
      .inputs = {{"images", "[B, H, W, C]"}},
      .outputs = {{"y", "[B, H W / P^2, P P C]"}},
      .parameters = {{"patch", ParameterType::integer, "P, side of a square; a divisor of H and W"}},
      .run = [](const OpCall& call) { return Vars{patchify(call.var("images"), call.integer("patch"))}; }};
}

}  // namespace limoe
