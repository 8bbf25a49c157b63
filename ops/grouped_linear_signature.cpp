#include "ops/grouped_linear.h"
#include "ops/signature.h"

namespace limoe {

OpSignature grouped_linear_signature() {
  return {.summary = "y[r] = rows[r] kernel[e] + bias[e] for row_begin[e] <= r < row_begin[e + 1], else 0",
          .inputs = {{"rows", "[R, K]"},
                     {"kernel", "[E, K, M]"},
                     {"bias", "[E, M]"},
                     {.name = "row_begin",
                      .shape = "[E + 1]",
                      .meaning = "from 0, never descending, at most R",
                      .kind = InputKind::integer}},
          .outputs = {{"y", "[R, M]"}},
          .run = [](const OpCall& call) {
            return Vars{grouped_linear(call.var("rows"), call.var("kernel"), call.var("bias"),
                                       call.tensor("row_begin"))};
          }};
}

}  // namespace limoe
