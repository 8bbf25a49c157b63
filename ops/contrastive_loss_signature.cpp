#include "ops/contrastive_loss.h"
#include "ops/signature.h"

namespace limoe {

OpSignature contrastive_loss_signature() {
  return {.summary = "y = symmetric InfoNCE of n pairs, logits exp(log_scale) image text^T",
          .inputs = {{"image", "[n, D]", "row j belongs to row j of text"},
                     {"text", "[n, D]"},
                     {"log_scale", "[]"}},
          .outputs = {{"y", "[]"}},
          .parameters = {{"chunk", ParameterType::integer, "rows of logits that exist at a time", "512"}},
          .run = [](const OpCall& call) {
            return Vars{contrastive_loss(call.var("image"), call.var("text"), call.var("log_scale"),
                                         call.integer("chunk"))};
          }};
}

}  // namespace limoe
