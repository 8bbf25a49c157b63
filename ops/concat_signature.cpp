#include "ops/concat.h"
#include "ops/signature.h"

namespace limoe {

OpSignature concat_signature() {
  return {.summary = "y = the parts joined along one axis",
          .inputs = {{.name = "part",
                      .shape = "[..., n, ...]",
                      .meaning = "equal sizes on all other axes",
                      .repeated = true}},
          .outputs = {{"y", "[..., sum of n, ...]"}},
          .parameters = {{"axis", ParameterType::integer, "-1 is the last"}},
          .run = [](const OpCall& call) { return Vars{concat(call.repeated("part"), call.axis("axis"))}; }};
}

}  // namespace limoe
