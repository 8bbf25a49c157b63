#include "models/train/accumulate.h"

#include <doctest/doctest.h>

#include "models/limoe/parameters.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"
#include "tests/support/compare.h"
#include "tests/support/golden_limoe.h"

using namespace limoe;
using namespace limoe::testing;

namespace {

struct Gradients {
  StepLosses losses;
  Tensor all;  // the arena's
};

// `patches`: of the batch's pictures; undefined: all.
Gradients gradients_of(const LimoeConfig& config, int64_t micro_batches, const Tensor& patches = {}) {
  const GoldenLimoe golden("k1");
  ParameterArena arena(parameter_specs(config), 7);
  for (const Parameter& parameter : golden.arena->parameters())
    arena.assign(parameter.spec.name, parameter.var.value());
  const Limoe model(config, arena);
  Batch batch = golden.batch();
  batch.patches = patches;
  const Gradients result{accumulate_gradients(model, batch, {.micro_batches = micro_batches}),
                         clone(arena.gradients())};
  return result;
}

}  // namespace

TEST_CASE("accumulation over 1, 2, 3 and 6 micro-batches gives the same losses and gradients") {
  LimoeConfig config = GoldenLimoe("k1").config;
  config.group_pairs = 1;  // so that every micro-batch holds whole groups
  const Gradients whole = gradients_of(config, 1);
  for (const int64_t micro_batches : {2, 3, 6}) {
    CAPTURE(micro_batches);
    const Gradients parts = gradients_of(config, micro_batches);
    CHECK(parts.losses.contrastive == doctest::Approx(whole.losses.contrastive).epsilon(1e-6));
    CHECK(parts.losses.auxiliary == doctest::Approx(whole.losses.auxiliary).epsilon(1e-6));
    CHECK_CLOSE(parts.all, whole.all, tolerance::f32_sum(256));
  }
}

TEST_CASE("micro-batches look at the patches of their own pictures") {
  LimoeConfig config = GoldenLimoe("k1").config;
  config.group_pairs = 1;
  std::vector<int32_t> places;
  for (int32_t picture = 0; picture < 6; ++picture)
    places.push_back(picture % int32_t(config.image_tokens()));
  const Tensor patches = from_vector<int32_t>({6, 1}, places);
  const Gradients whole = gradients_of(config, 1, patches), parts = gradients_of(config, 3, patches);
  CHECK(parts.losses.contrastive == doctest::Approx(whole.losses.contrastive).epsilon(1e-6));
  CHECK_CLOSE(parts.all, whole.all, tolerance::f32_sum(256));
  CHECK(gradients_of(config, 1).losses.contrastive != whole.losses.contrastive);
}

TEST_CASE(
    "adding the gradients of halves, each contrasted with itself alone, is not the gradient of the whole") {
  const LimoeConfig config = [] {
    LimoeConfig c = GoldenLimoe("k1").config;
    c.group_pairs = 1;
    return c;
  }();
  const Gradients whole = gradients_of(config, 1);
  const GoldenLimoe golden("k1");
  ParameterArena arena(parameter_specs(config), 7);
  for (const Parameter& parameter : golden.arena->parameters())
    arena.assign(parameter.spec.name, parameter.var.value());
  const Limoe model(config, arena);
  const Batch batch = golden.batch();
  for (const int64_t begin : {0, 3}) {
    Batch half = batch;
    half.images = batch.images.slice(0, begin, begin + 3);
    half.ids = batch.ids.slice(0, begin, begin + 3);
    half.text_valid = batch.text_valid.slice(0, begin, begin + 3);
    half.sample_index.resize(3);
    accumulate_gradients(model, half, {});
  }
  CHECK_FALSE(close(arena.gradients(), whole.all, tolerance::f32_sum(256)).ok);
}

TEST_CASE("recomputing activations changes neither losses nor gradients, by a bit") {
  LimoeConfig config = GoldenLimoe("k1").config;
  const Gradients kept = gradients_of(config, 1);
  config.grad_checkpointing = true;
  const Gradients recomputed = gradients_of(config, 1);
  CHECK(recomputed.losses.contrastive == kept.losses.contrastive);
  CHECK(recomputed.losses.auxiliary == kept.losses.auxiliary);
  CHECK(recomputed.losses.auxiliary_losses.size() == kept.losses.auxiliary_losses.size());
  CHECK_SAME_BITS(recomputed.all, kept.all);
}

TEST_CASE("a training step has the same bits on 1, 2 and 3 threads") {
  const LimoeConfig config = GoldenLimoe("k1").config;
  const int threads = thread_count();
  set_thread_count(1);
  const Gradients alone = gradients_of(config, 2);
  for (const int count : {2, 3}) {
    set_thread_count(count);
    CHECK_SAME_BITS(gradients_of(config, 2).all, alone.all);
  }
  set_thread_count(threads);
}
