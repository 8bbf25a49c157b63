#include "ops/add_positions.h"
#include "ops/signature.h"

namespace limoe {

OpSignature add_positions_signature() {
  return {
      .summary = "y[b, t] = x[b, t] + positions[t]",
      .inputs = {{"x", "[B, T, D]"}, {"positions", "[T, D]"}},
      .outputs = {{"y", "[B, T, D]"}},
      .run = [](const OpCall& call) { return Vars{add_positions(call.var("x"), call.var("positions"))}; }};
}

}  // namespace limoe
