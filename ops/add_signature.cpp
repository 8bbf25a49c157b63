#include "ops/add.h"
#include "ops/signature.h"

namespace limoe {

OpSignature add_signature() {
  return {.summary = "y = a + b, element by element",
          .inputs = {{"a", "[...]"}, {"b", "[...]"}},
          .outputs = {{"y", "[...]"}},
          .run = [](const OpCall& call) { return Vars{add(call.var("a"), call.var("b"))}; }};
}

}  // namespace limoe
