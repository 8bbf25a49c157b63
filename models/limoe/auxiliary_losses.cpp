#include "models/limoe/auxiliary_losses.h"

#include <cmath>

#include "ops/add.h"
#include "ops/global_entropy_loss.h"
#include "ops/gshard_loss.h"
#include "ops/importance_loss.h"
#include "ops/load_loss.h"
#include "ops/local_entropy.h"
#include "ops/router_z_loss.h"
#include "ops/scale.h"
#include "ops/softmax.h"

namespace limoe {

Var auxiliary_losses(const LimoeConfig& c, const MoeOutputs& moe, const TokenLayout& layout, int64_t block,
                     std::vector<AuxiliaryLoss>& losses) {
  Var total;
  const auto use = [&](const char* name, double weight, const auto& compute) {
    if (weight == 0) return;
    const Var loss = compute();
    losses.push_back({name, block, weight, loss.value()});
    const Var weighted = scale(loss, weight);
    total = total.value().defined() ? add(total, weighted) : weighted;
  };
  const bool noisy = moe.logits.node() != moe.noisy_logits.node() ||
                     !moe.logits.value().shares_memory_with(moe.noisy_logits.value());
  Var clean_probs;
  const auto clean = [&]() -> const Var& {
    if (!clean_probs.value().defined()) clean_probs = noisy ? softmax(moe.logits) : moe.probs;
    return clean_probs;
  };
  const int64_t groups = layout.groups;
  use("importance", c.importance_weight, [&] { return importance_loss(clean(), layout.group_of, groups); });
  if (noisy)
    use("load", c.load_weight, [&] {
      return load_loss(moe.logits, moe.noisy_logits, c.experts_per_token, c.router_noise / double(c.experts),
                       layout.group_of, groups);
    });
  use("z", c.z_weight, [&] { return router_z_loss(moe.logits, layout.group_of, groups); });
  use("gshard", c.gshard_weight, [&] { return gshard_loss(clean(), layout.group_of, groups); });
  use("local_text", c.local_text_weight,
      [&] { return local_entropy(moe.logits, layout.text_group_of, groups); });
  use("local_image", c.local_image_weight,
      [&] { return local_entropy(moe.logits, layout.image_group_of, groups); });
  use("global_text", c.global_text_weight, [&] {
    return global_entropy_loss(moe.logits, std::log(c.global_text_experts), layout.text_group_of, groups);
  });
  use("global_image", c.global_image_weight, [&] {
    return global_entropy_loss(moe.logits, std::log(c.global_image_experts), layout.image_group_of, groups);
  });
  return total;
}

}  // namespace limoe
