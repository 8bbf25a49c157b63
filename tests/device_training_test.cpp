// A whole tiny LIMoE on a device (a GPU, or the simulator) against the same model in PyTorch, in f32 and in
// bf16.
#include <doctest/doctest.h>

#include <optional>

#include "autograd/backward.h"
#include "models/optim/adafactor.h"
#include "models/optim/adamw.h"
#include "models/optim/clip.h"
#include "models/train/accumulate.h"
#include "ops/add.h"
#include "ops/contrastive_loss.h"
#include "tensor/caching_allocator.h"
#include "tensor/factory.h"
#include "tests/support/compare.h"
#include "tests/support/device.h"
#include "tests/support/golden_limoe.h"

using namespace limoe;
using namespace limoe::testing;

namespace {

// The total loss before each of `steps` updates.
std::vector<float> losses_of(GoldenLimoe& golden, Optimizer& optimizer, double lr, double clip_norm,
                             int64_t steps) {
  const Batch batch = golden.batch();
  std::vector<float> losses;
  for (int64_t step = 0; step < steps; ++step) {
    golden.arena->zero_gradients();
    losses.push_back(float(accumulate_gradients(*golden.model, batch, {.step = step}).total()));
    clip_gradients(*golden.arena, clip_norm);
    optimizer.step(*golden.arena, {.lr = lr, .schedule = 1});
  }
  return losses;
}

AdamW adamw_of(const GoldenLimoe& golden) {
  const auto real = [&](const char* key) { return std::stod(golden.setting(std::string("adamw.") + key)); };
  return AdamW(*golden.arena, {.beta1 = real("beta1"),
                               .beta2 = real("beta2"),
                               .epsilon = real("epsilon"),
                               .weight_decay = real("decay")});
}

double adamw_rate(const GoldenLimoe& golden) {
  return std::stod(golden.setting("adamw.lr"));
}

}  // namespace

TEST_CASE("a tiny LIMoE on a device has PyTorch's embeddings, losses and every parameter gradient") {
  const std::optional<Device> device = device_under_test();
  if (!device) return;
  for (const char* name : {"k1", "k2", "two_layers", "noise"}) {
    CAPTURE(name);
    const GoldenLimoe golden(name, *device);
    const Batch batch = golden.batch();
    const LimoeOutputs outputs =
        golden.model->forward({batch.images, batch.ids, batch.text_valid}, golden.options());
    CHECK_CLOSE(outputs.image_embeddings.value(), golden.tensor("image_embedding"), tolerance::kModelF32);
    CHECK_CLOSE(outputs.text_embeddings.value(), golden.tensor("text_embedding"), tolerance::kModelF32);
    for (const AuxiliaryLoss& loss : outputs.auxiliary_losses)
      CHECK_CLOSE(loss.value, golden.tensor("auxiliary." + std::to_string(loss.block) + "." + loss.name),
                  tolerance::kModelF32);
    const Var total =
        add(contrastive_loss(outputs.image_embeddings, outputs.text_embeddings, golden.model->log_scale()),
            outputs.auxiliary);
    CHECK_CLOSE(total.value(), golden.tensor("total"), tolerance::kModelF32);
    backward(total);
    for (const Parameter& parameter : golden.arena->parameters()) {
      CAPTURE(parameter.spec.name);
      CHECK_CLOSE(parameter.var.gradient(), golden.tensor("gradients." + parameter.spec.name),
                  tolerance::kModelF32);
    }
  }
}

TEST_CASE(
    "10 losses of a tiny LIMoE under AdamW on a device are PyTorch's, and then nothing is allocated any "
    "more") {
  const std::optional<Device> device = device_under_test();
  if (!device) return;
  GoldenLimoe golden("k1", *device);
  AdamW optimizer = adamw_of(golden);
  std::vector<float> losses = losses_of(golden, optimizer, adamw_rate(golden), 0, 3);
  const int64_t allocations = allocator_of(*device).counts().backend_allocations;
  for (const float loss : losses_of(golden, optimizer, adamw_rate(golden), 0, 7)) losses.push_back(loss);
  CHECK(allocator_of(*device).counts().backend_allocations == allocations);
  CHECK_CLOSE(from_vector({10}, losses), golden.tensor("adamw.losses").slice(0, 0, 10), tolerance::kModelF32);
}

TEST_CASE("5 losses of a tiny LIMoE under clipping and Adafactor on a device are PyTorch's") {
  const std::optional<Device> device = device_under_test();
  if (!device) return;
  GoldenLimoe golden("k1", *device);
  const auto real = [&](const char* key) {
    return std::stod(golden.setting(std::string("adafactor.") + key));
  };
  Adafactor optimizer(*golden.arena, {.beta1 = real("beta1"),
                                      .beta2_cap = real("beta2_cap"),
                                      .min_factored = std::stoll(golden.setting("adafactor.min_factored")),
                                      .weight_decay = real("lr") * real("decay")});
  CHECK_CLOSE(from_vector({5}, losses_of(golden, optimizer, real("lr"), real("clip_global_norm"), 5)),
              golden.tensor("adafactor.losses").slice(0, 0, 5), tolerance::kModelF32);
}

TEST_CASE("a tiny LIMoE with activations in bf16 follows PyTorch's f32 losses") {
  const std::optional<Device> device = device_under_test();
  if (!device) return;
  GoldenLimoe golden("k1", *device, DType::bf16);
  AdamW optimizer = adamw_of(golden);
  const std::vector<float> losses = losses_of(golden, optimizer, adamw_rate(golden), 0, 5);
  CHECK_CLOSE(from_vector({5}, losses), golden.tensor("adamw.losses").slice(0, 0, 5), tolerance::kModelBf16);
}

TEST_CASE("a tiny LIMoE on a device: two runs have the same bits") {
  const std::optional<Device> device = device_under_test();
  if (!device) return;
  std::vector<Tensor> values;
  for (int run = 0; run < 2; ++run) {
    GoldenLimoe golden("k2", *device, DType::bf16);
    AdamW optimizer(*golden.arena, {});
    losses_of(golden, optimizer, 1e-3, 1, 2);
    values.push_back(to_device(golden.arena->values(), {}));
  }
  CHECK_SAME_BITS(values[0], values[1]);
}
