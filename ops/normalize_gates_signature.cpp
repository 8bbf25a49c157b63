#include "ops/normalize_gates.h"
#include "ops/signature.h"

namespace limoe {

OpSignature normalize_gates_signature() {
  return {.summary = "y = gates / sum over k of gates; a row of sum 0 stays 0",
          .inputs = {{"gates", "[..., K]"}},
          .outputs = {{"y", "[..., K]"}},
          .run = [](const OpCall& call) { return Vars{normalize_gates(call.var("gates"))}; }};
}

}  // namespace limoe
