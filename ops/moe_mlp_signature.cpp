#include "ops/moe_mlp.h"
#include "ops/signature.h"

namespace limoe {

OpSignature moe_mlp_signature() {
  return {.summary = "y[n] = sum over k of gates[n, k] mlp(x[n]) of expert expert_of[n, k]",
          .inputs = {{"x", "[N, D]"},
                     {"gates", "[N, K]"},
                     {"up", "[E, D, M]"},
                     {"up_bias", "[E, M]"},
                     {"down", "[E, M, O]"},
                     {"down_bias", "[E, O]"},
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
          .outputs = {{"y", "[N, O]"}},
          .run = [](const OpCall& call) {
            return Vars{moe_mlp(call.var("x"), call.var("gates"), call.var("up"), call.var("up_bias"),
                                call.var("down"), call.var("down_bias"),
                                {call.tensor("expert_of"), call.tensor("row_of"), call.tensor("choice_of"),
                                 call.tensor("row_begin")})};
          }};
}

}  // namespace limoe
