// Training a tiny LIMoE step by step against the same training in PyTorch (tests/golden/README.md).
#include <doctest/doctest.h>

#include "models/optim/adafactor.h"
#include "models/optim/adamw.h"
#include "models/optim/clip.h"
#include "models/train/accumulate.h"
#include "tensor/factory.h"
#include "tests/support/compare.h"
#include "tests/support/golden_limoe.h"

using namespace limoe;
using namespace limoe::testing;

namespace {

// The total loss before each of `steps` updates.
Tensor losses_of(GoldenLimoe& golden, Optimizer& optimizer, double lr, double clip_norm, int64_t steps) {
  const Batch batch = golden.batch();
  std::vector<float> losses;
  for (int64_t step = 0; step < steps; ++step) {
    golden.arena->zero_gradients();
    losses.push_back(float(accumulate_gradients(*golden.model, batch, {.step = step}).total()));
    clip_gradient_norm(*golden.arena, clip_norm);
    optimizer.step(*golden.arena, {.lr = lr, .schedule = 1});
  }
  return from_vector({steps}, losses);
}

void check_last_parameters(const GoldenLimoe& golden, const std::string& optimizer) {
  for (const char* name : {"token_embed.table", "blocks.1.moe.router.kernel", "blocks.1.moe.up.bias"}) {
    CAPTURE(name);
    CHECK_CLOSE((*golden.arena)[name].value(), golden.tensor(optimizer + ".last." + name),
                tolerance::kModelF32);
  }
}

}  // namespace

TEST_CASE("50 losses of a tiny LIMoE under AdamW are PyTorch's") {
  GoldenLimoe golden("k1");
  const auto real = [&](const char* key) { return std::stod(golden.setting(std::string("adamw.") + key)); };
  AdamW optimizer(*golden.arena, {.beta1 = real("beta1"),
                                  .beta2 = real("beta2"),
                                  .epsilon = real("epsilon"),
                                  .weight_decay = real("decay")});
  CHECK_CLOSE(losses_of(golden, optimizer, real("lr"), 0, 50), golden.tensor("adamw.losses"),
              tolerance::kModelF32);
  check_last_parameters(golden, "adamw");
}

TEST_CASE("20 losses of a tiny LIMoE under clipping and Adafactor are PyTorch's") {
  GoldenLimoe golden("k1");
  const auto real = [&](const char* key) {
    return std::stod(golden.setting(std::string("adafactor.") + key));
  };
  Adafactor optimizer(*golden.arena, {.beta1 = real("beta1"),
                                      .beta2_cap = real("beta2_cap"),
                                      .min_factored = std::stoll(golden.setting("adafactor.min_factored")),
                                      .weight_decay = real("lr") * real("decay")});
  CHECK_CLOSE(losses_of(golden, optimizer, real("lr"), real("clip_global_norm"), 20),
              golden.tensor("adafactor.losses"), tolerance::kModelF32);
  check_last_parameters(golden, "adafactor");
}
