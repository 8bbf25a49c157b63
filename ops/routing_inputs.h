// The tables of a Routing (ops/moe_route.h) as inputs of `limoe ops run`. For signatures of ops.
#pragma once

#include "ops/moe_route.h"
#include "ops/signature.h"

namespace limoe {

// An op's own inputs, and the four tables behind them.
inline std::vector<InputSlot> with_routing_inputs(std::vector<InputSlot> inputs) {
  const auto add = [&](const char* name, const char* shape, const char* meaning) {
    inputs.push_back({.name = name, .shape = shape, .meaning = meaning, .kind = InputKind::integer});
  };
  add("expert_of", "[N, K]", "expert of each choice, -1 for a token that is not routed");
  add("row_of", "[N, K]", "row of the expert buffer, -1: dropped");
  add("choice_of", "[N K]", "row -> n K + k, -1: nobody uses it");
  add("row_begin", "[E + 1]", "expert e owns rows row_begin[e] to row_begin[e + 1] - 1");
  return inputs;
}

inline Routing routing_of(const OpCall& call) {
  return {call.tensor("expert_of"), call.tensor("row_of"), call.tensor("choice_of"),
          call.tensor("row_begin")};
}

}  // namespace limoe
