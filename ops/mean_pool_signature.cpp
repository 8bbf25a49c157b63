#include "ops/mean_pool.h"
#include "ops/signature.h"

namespace limoe {

OpSignature mean_pool_signature() {
  return {.summary = "y = the mean over the valid tokens of each sequence",
          .inputs = {{"x", "[N, D]"},
                     {.name = "valid",
                      .shape = "[N]",
                      .meaning = "0: this token is not counted; absent: every token is",
                      .kind = InputKind::integer,
                      .optional = true}},
          .outputs = {{"y", "[sequences, D]"}},
          .parameters = {{"sequences", ParameterType::sequences,
                          "how the N rows are cut into sequences: runs of COUNTxLENGTH, 200x36,200x16"}},
          .run = [](const OpCall& call) {
            return Vars{mean_pool(call.var("x"), call.tensor("valid"), call.sequences("sequences"))};
          }};
}

}  // namespace limoe
