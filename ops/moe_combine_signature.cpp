#include "ops/moe_combine.h"
#include "ops/signature.h"

namespace limoe {

OpSignature moe_combine_signature() {
  return {.summary = "y[n] = sum over k of gates[n, k] rows[row_of[n, k]]",
          .inputs = {{"rows", "[N K, D]"},
                     {"gates", "[N, K]"},
                     {.name = "expert_of",
                      .shape = "[N, K]",
                      .meaning = "expert of each choice, -1 for a token that is not routed",
                      .kind = InputKind::integer},
                     {.name = "row_of",
                      .shape = "[N, K]",
                      .meaning = "row of the expert buffer, -1: dropped",
                      .kind = InputKind::integer},
                     {.name = "choice_of",
                      .shape = "[N K]",
                      .meaning = "row -> n K + k, -1: nobody uses it",
                      .kind = InputKind::integer},
                     {.name = "row_begin",
                      .shape = "[E + 1]",
                      .meaning = "expert e owns rows row_begin[e] to row_begin[e + 1] - 1",
                      .kind = InputKind::integer}},
          .outputs = {{"y", "[N, D]"}},
          .run = [](const OpCall& call) {
            return Vars{moe_combine(call.var("rows"), call.var("gates"),
                                    {call.tensor("expert_of"), call.tensor("row_of"),
                                     call.tensor("choice_of"), call.tensor("row_begin")})};
          }};
}

}  // namespace limoe
