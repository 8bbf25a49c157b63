#include "models/limoe/info.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "autograd/parameter.h"
#include "models/limoe/limoe.h"
#include "models/limoe/parameters.h"
#include "tensor/backend.h"
#include "tensor/caching_allocator.h"
#include "tensor/error.h"
#include "tensor/factory.h"

using namespace limoe;

namespace {

struct PublishedRow {
  const char* preset;
  double dense, all, active;     // millions of parameters
  double image_flop, text_flop;  // 10^9, of the dense twin
  double digit;                  // half of the last digit written, in GFLOP of a picture
};

// Counted by another script from the published sizes; H/14's 5.6 billion and 675 million are the paper's.
constexpr PublishedRow kRows[] = {{"limoe-s32", 43.7, 304, 43.8, 2.66, 0.81, 0.005},
                                  {"limoe-b32", 113.2, 992, 113.4, 8.64, 2.73, 0.005},
                                  {"limoe-b16", 111.6, 990, 111.7, 34.9, 2.73, 0.05},
                                  {"limoe-l16", 338.2, 3461, 338.6, 122.5, 9.69, 0.05},
                                  {"limoe-h14", 675.0, 5554, 675.5, 333, 20.2, 0.6}};

bool within(double found, double expected, double share) {
  return std::abs(found - expected) <= share * expected;
}

LimoeConfig small_config() {
  LimoeConfig config;
  config.image_size = 16;
  config.patch_size = 4;
  config.text_length = 8;
  config.vocabulary = 50;
  config.width = 32;
  config.layers = 4;
  config.heads = 4;
  config.mlp_width = 64;
  config.joint_width = 24;
  config.experts = 4;
  return config;
}

// Bytes that a forward pass with recording leaves alive beside its inputs.
int64_t bytes_kept(const LimoeConfig& config, int64_t pairs) {
  const ParameterArena arena(parameter_specs(config), 0);
  const Limoe model(config, arena);
  const Tensor images = zeros({pairs, config.image_size, config.image_size, 3});
  const Tensor ids = zeros({pairs, config.text_length}, DType::i32);
  const Tensor valid = full({pairs, config.text_length}, 1, DType::i32);
  const size_t before = allocator_of({}).counts().live_bytes;
  const LimoeOutputs outputs = model.forward({images, ids, valid}, {.training = true});
  return int64_t(allocator_of({}).counts().live_bytes - before);
}

}  // namespace

TEST_CASE("info: the published sizes have the published numbers of parameters and FLOP") {
  for (const PublishedRow& row : kRows) {
    CAPTURE(std::string(row.preset));
    const ModelInfo info = model_info(preset(row.preset));
    CHECK(within(double(info.parameters) / 1e6, row.all, 0.005));
    CHECK(within(double(info.active_parameters) / 1e6, row.active, 0.005));
    LimoeConfig config = preset(row.preset);
    const int64_t router_flop_per_token = 2 * config.width * config.experts * int64_t(info.moe_blocks.size());
    config.dense = true;
    const ModelInfo dense = model_info(config);
    CHECK(within(double(dense.parameters) / 1e6, row.dense, 0.005));
    CHECK(std::abs(double(dense.image_flop) / 1e9 - row.image_flop) <= row.digit);
    CHECK(std::abs(double(dense.text_flop) / 1e9 - row.text_flop) <= 0.05);
    CHECK(info.image_flop == dense.image_flop + info.image_tokens * router_flop_per_token);
    CHECK(info.text_flop == dense.text_flop + info.text_tokens * router_flop_per_token);
  }
}

TEST_CASE("info: groups add up, and a dense model's active parameters are all of them") {
  LimoeConfig config = small_config();
  for (const bool dense : {false, true}) {
    config.dense = dense;
    const ModelInfo info = model_info(config);
    int64_t all = 0, active = 0;
    for (const ParameterGroup& group : info.groups) {
      all += group.all;
      active += group.active;
    }
    CHECK(all == info.parameters);
    CHECK(active == info.active_parameters);
    CHECK(info.parameters == element_count(parameter_specs(config)));
    CHECK((info.parameters == info.active_parameters) == dense);
  }
}

TEST_CASE("info: a model of billions is counted without allocating any of it") {
  allocator_of({}).reset_peak();
  const MemoryCounts before = allocator_of({}).counts();
  CHECK(model_info(preset("limoe-h14")).memory.weights > 20'000'000'000);
  const MemoryCounts after = allocator_of({}).counts();
  CHECK(after.live_bytes == before.live_bytes);
  CHECK(after.peak_live_bytes == before.live_bytes);
}

TEST_CASE("info: the estimate of activations is what a forward pass keeps, to 10 %") {
  LimoeConfig config = small_config();
  for (const char* moe_layers : {"none", "every 2", "every 1"}) {
    for (const int64_t experts_per_token : {1, 2}) {
      config.moe_layers = moe_layers;
      config.experts_per_token = experts_per_token;
      CAPTURE(config.moe_layers);
      CAPTURE(experts_per_token);
      allocator_of({}).empty_cache();  // a reused block counts with its whole size
      const double kept = double(bytes_kept(config, 16));
      const double estimate = double(model_info(config, {.batch_size = 16}).memory.activations);
      CAPTURE(kept);
      CAPTURE(estimate);
      CHECK(within(estimate, kept, 0.1));
    }
  }
}

TEST_CASE("info: checkpointing and micro-batches save activations, and only checkpointing costs FLOP") {
  LimoeConfig config = small_config();
  const ModelInfo whole = model_info(config, {.batch_size = 16});
  const ModelInfo in_four = model_info(config, {.batch_size = 16, .accum_freq = 4});
  config.grad_checkpointing = true;
  const ModelInfo again = model_info(config, {.batch_size = 16});
  CHECK(4 * in_four.memory.activations == whole.memory.activations);
  CHECK(in_four.training_pair_flop == 3 * whole.pair_flop());
  CHECK(again.memory.activations < whole.memory.activations / 2);
  CHECK(again.training_pair_flop > whole.training_pair_flop);
}

TEST_CASE("info: AdamW keeps two numbers a parameter, Adafactor little more than one") {
  const LimoeConfig config = preset("limoe-b16");
  const ModelInfo adamw = model_info(config), adafactor = model_info(config, {.optimizer = "adafactor"});
  CHECK(adamw.memory.optimizer == 2 * adamw.memory.weights);
  CHECK(adafactor.memory.optimizer > adafactor.memory.weights);
  CHECK(double(adafactor.memory.optimizer) < 1.05 * double(adafactor.memory.weights));
}

TEST_CASE("info: an accum-freq that does not divide the batch is refused") {
  CHECK_THROWS_WITH_AS(model_info(small_config(), {.batch_size = 7, .accum_freq = 2}),
                       "info: accum-freq is 2; expected a divisor of batch-size, which is 7", ValueError);
}
