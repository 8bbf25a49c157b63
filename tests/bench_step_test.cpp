// `limoe bench step`: it takes the steps that training takes, and says where their time goes.
#include "models/cli/bench_step.h"

#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "models/cli/bench_trace.h"
#include "models/limoe/parameters.h"
#include "ops/matmul_precision.h"
#include "tensor/error.h"
#include "tensor/factory.h"
#include "tensor/safetensors.h"
#include "tests/support/limoe_says.h"
#include "tests/support/scratch_folder.h"

using namespace limoe;
using namespace limoe::testing;

namespace {

StepBenchOptions small_step() {
  StepBenchOptions options;
  options.model.image_size = 8;
  options.model.patch_size = 4;
  options.model.text_length = 6;
  options.model.vocabulary = 20;
  options.model.width = options.model.joint_width = 16;
  options.model.layers = options.model.heads = 2;
  options.model.mlp_width = 32;
  options.model.experts = 4;
  options.train.batch_size = 8;
  options.steps = 4;
  options.warmup = 2;
  return options;
}

const char* const kSmallConfig =
    "image-size = 8\npatch-size = 4\ntext-length = 6\ntokenizer-vocabulary = 20\nwidth = 16\njoint-width = "
    "16\n"
    "layers = 2\nheads = 2\nmlp-width = 32\nexperts = 4\nbatch-size = 8\n";

const OpTime* find(const StepBenchResult& result, const std::string& op, const std::string& pass) {
  for (const OpTime& time : result.ops)
    if (time.op == op && time.pass == pass) return &time;
  return nullptr;
}

}  // namespace

TEST_CASE("bench step: every step is timed, learns, and gives the same losses in every run") {
  const StepBenchResult a = bench_step(small_step()), b = bench_step(small_step());
  CHECK(a.milliseconds.size() == 4);
  REQUIRE(a.losses.size() == 6);
  CHECK(a.losses == b.losses);
  CHECK(a.losses.back() < a.losses.front());
  CHECK(a.median_milliseconds() > 0);
  CHECK(a.spread() >= 0);
  CHECK(a.peak_tensor_bytes > 0);
  CHECK(a.pairs == 8);
  CHECK(a.tokens >= 8 * (4 + 3));
  CHECK(a.tokens <= 8 * (4 + 6));
}

TEST_CASE(
    "bench step: the precision reaches the layers: bf16 learns nearly the same, auto is the faster one") {
  const auto losses = [](const char* precision) {
    StepBenchOptions options = small_step();
    options.train.precision = precision;
    return bench_step(options).losses;
  };
  const std::vector<double> fp32 = losses("fp32"), bf16 = losses("bf16");
  REQUIRE(fp32.size() == bf16.size());
  CHECK(fp32 != bf16);
  for (size_t i = 0; i < fp32.size(); ++i) CHECK(std::abs(fp32[i] - bf16[i]) < 1e-2);
  CHECK(losses("auto") == (bf16_products_are_fast() ? bf16 : fp32));
}

TEST_CASE("bench step: texts of a batch have from half of their length to all of it") {
  LimoeConfig model = small_step().model;
  const Batch batch = step_batch(model, 500, 1);
  const std::vector<int32_t> valid = to_vector<int32_t>(batch.text_valid),
                             ids = to_vector<int32_t>(batch.ids);
  std::vector<int> counts(7);
  for (size_t row = 0; row < 500; ++row) {
    int tokens = 0;
    for (size_t at = 0; at < 6; ++at) tokens += valid[row * 6 + at];
    ++counts[size_t(tokens)];
    for (size_t at = 0; at < 6; ++at) CHECK(valid[row * 6 + at] == (int(at) < tokens));
  }
  CHECK(counts[0] + counts[1] + counts[2] == 0);
  for (size_t tokens = 3; tokens <= 6; ++tokens) CHECK(counts[tokens] > 50);
  for (const int32_t id : ids) CHECK((id >= 0 && id < 20));
}

TEST_CASE("bench step: by op, times add up and the products of layers and of mlps are counted") {
  StepBenchOptions options = small_step();
  options.model.dense = true;
  options.by_op = 2;
  const StepBenchResult result = bench_step(options);
  const OpTime* const forward = find(result, "linear", "forward");
  REQUIRE(forward != nullptr);
  const LimoeConfig& model = options.model;
  CHECK(forward->calls == double(2 * model.layers + 3));
  const double tokens = double(result.tokens), pairs = double(result.pairs), width = double(model.width);
  const double patch = double(3 * model.patch_size * model.patch_size);
  const double of_layer = 2 * tokens * width * (3 * width + width);
  const double at_ends =
      2 * pairs * width * (double(model.image_tokens()) * patch + 2 * double(model.joint_width));
  CHECK(forward->flop == double(model.layers) * of_layer + at_ends);
  const OpTime* const backward = find(result, "linear", "backward");
  REQUIRE(backward != nullptr);
  CHECK(backward->flop == 2 * forward->flop);
  const OpTime* const mlp = find(result, "mlp", "forward");
  REQUIRE(mlp != nullptr);
  CHECK(mlp->calls == double(model.layers));
  CHECK(mlp->flop == double(model.layers) * 2 * tokens * width * 2 * double(model.mlp_width));
  const OpTime* const mlp_backward = find(result, "mlp", "backward");
  REQUIRE(mlp_backward != nullptr);
  CHECK(mlp_backward->flop == 2 * mlp->flop);
  double sum = 0;
  for (const OpTime& time : result.ops) {
    CHECK(time.milliseconds >= -1e-3);
    sum += time.milliseconds;
  }
  CHECK(sum > 0);
  CHECK(find(result, "clip", "phase") != nullptr);
  CHECK(find(result, "optimizer", "phase") != nullptr);
}

TEST_CASE("bench step: by op, the experts' products are counted behind x and gates") {
  StepBenchOptions options = small_step();
  options.by_op = 2;
  const StepBenchResult result = bench_step(options);
  const LimoeConfig& model = options.model;
  const double blocks = double(moe_block_indices(model).size());
  const OpTime *const forward = find(result, "moe_mlp", "forward"), *const backward =
                                                                        find(result, "moe_mlp", "backward");
  REQUIRE(forward != nullptr);
  REQUIRE(backward != nullptr);
  CHECK(forward->calls == blocks);
  CHECK(forward->flop ==
        blocks * 2 * double(result.tokens) * double(model.width) * 2 * double(model.mlp_width));
  CHECK(backward->flop == 2 * forward->flop);
}

TEST_CASE("bench step: what was at the start is saved for others to start from") {
  const ScratchFolder folder;
  StepBenchOptions options = small_step();
  options.save = folder / "start";
  bench_step(options);
  const SafetensorsFile model = read_safetensors(folder / "start/model.safetensors");
  const ParameterArena arena(parameter_specs(options.model), options.train.seed);
  CHECK(model.tensors.size() == arena.parameters().size());
  CHECK(to_vector<float>(model.tensors.at("token_embed.table")) ==
        to_vector<float>(arena["token_embed.table"].value()));
  CHECK(read_safetensors(folder / "start/batch.safetensors").tensors.size() == 3);
}

TEST_CASE("limoe bench step: prints a table, writes JSON, and refuses what cannot be") {
  const ScratchFolder folder;
  std::ofstream(folder / "small.toml") << kSmallConfig;
  const Said said = limoe_says({"bench", "step", "--config", folder / "small.toml", "--threads", "1",
                                "--steps", "3", "--json", folder / "step.json"});
  CHECK(said.status == 0);
  CHECK(said.output.find("pairs a second") != std::string::npos);
  const auto json = nlohmann::json::parse(std::ifstream(folder / "step.json"));
  CHECK(json["ms"].size() == 3);
  CHECK(json["losses"].size() == 6);
  CHECK(json["threads"] == 1);
  CHECK(limoe_says({"bench", "step", "--config", folder / "small.toml", "--steps", "0"}).status != 0);
  const Said mixed = limoe_says({"bench", "step", "--image-size", "32"});
  CHECK(mixed.status == 2);
  CHECK(mixed.errors ==
        "limoe: bench: --image-size is given with `limoe bench step`; expected with `limoe bench data` "
        "alone\n");
}
