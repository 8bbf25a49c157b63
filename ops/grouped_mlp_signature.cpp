#include "ops/mlp.h"
#include "ops/signature.h"

namespace limoe {

OpSignature grouped_mlp_signature() {
  return {.summary = "y[r] = mlp(rows[r]) of expert e for row_begin[e] <= r < row_begin[e + 1], else 0",
          .inputs = {{"rows", "[R, D]"},
                     {"up", "[E, D, M]"},
                     {"up_bias", "[E, M]"},
                     {"down", "[E, M, O]"},
                     {"down_bias", "[E, O]"},
                     {.name = "row_begin",
                      .shape = "[E + 1]",
                      .meaning = "from 0, never descending, at most R",
                      .kind = InputKind::integer}},
          .outputs = {{"y", "[R, O]"}},
          .run = [](const OpCall& call) {
            return Vars{grouped_mlp(call.var("rows"), call.var("up"), call.var("up_bias"), call.var("down"),
                                    call.var("down_bias"), call.tensor("row_begin"))};
          }};
}

}  // namespace limoe
