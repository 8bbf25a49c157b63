#include "ops/signature.h"
#include "ops/sum.h"

namespace limoe {

OpSignature sum_signature() {
  return {.summary = "y = the sum of all elements of x",
          .inputs = {{"x", "[...]"}},
          .outputs = {{"y", "[]"}},
          .run = [](const OpCall& call) { return Vars{sum(call.var("x"))}; }};
}

}  // namespace limoe
