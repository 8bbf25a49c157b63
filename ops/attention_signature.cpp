#include "ops/attention.h"
#include "ops/signature.h"

namespace limoe {

OpSignature attention_signature() {
  return {.summary = "y = softmax(q k^T / sqrt(d)) v for every head of every sequence",
          .inputs = {{"qkv", "[N, 3D]", "columns q, k, v, each of them heads blocks of D / heads"},
                     {.name = "key_valid",
                      .shape = "[N]",
                      .meaning = "0: this token is no key; absent: every token is one",
                      .kind = InputKind::integer,
                      .optional = true}},
          .outputs = {{"y", "[N, D]"}},
          .parameters = {{"heads", ParameterType::integer, "heads; a divisor of D"},
                         {"sequences", ParameterType::sequences,
                          "how the N rows are cut into sequences: runs of COUNTxLENGTH, 200x36,200x16"}},
          .run = [](const OpCall& call) {
            return Vars{attention(call.var("qkv"), call.tensor("key_valid"), call.integer("heads"),
                                  call.sequences("sequences"))};
          }};
}

}  // namespace limoe
