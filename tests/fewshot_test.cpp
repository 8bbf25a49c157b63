#include "models/train/fewshot.h"

#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "models/limoe/parameters.h"
#include "models/train/checkpoint.h"
#include "models/train/evaluate.h"
#include "models/train/ridge_probe.h"
#include "ops/matmul.h"
#include "tensor/error.h"
#include "tensor/factory.h"
#include "tensor/safetensors.h"
#include "tests/support/compare.h"
#include "tests/support/limoe_says.h"
#include "tests/support/paths.h"
#include "tests/support/shard_fixture.h"

using namespace limoe;
using limoe::testing::contains;
using limoe::testing::limoe_says;
using limoe::testing::Said;
using limoe::testing::ScratchFolder;

namespace {

const SafetensorsFile& golden() {
  static const SafetensorsFile file = read_safetensors(testing::golden_path("ridge_probe.safetensors"));
  return file;
}

const double kL2[] = {0x1p-10, 1, 0x1p10, 0x1p19};

std::vector<int64_t> labels_of(const std::string& name) {
  const auto labels = to_vector<int32_t>(golden().tensors.at(name + ".labels"));
  return {labels.begin(), labels.end()};
}

Tensor scores_of(const RidgeProbe& probe, const Tensor& features) {
  return matmul_forward(probe_inputs(probe, features), probe.weights);
}

LimoeConfig small_config() {
  LimoeConfig config;
  config.image_size = 12;
  config.patch_size = 4;
  config.text_length = 12;
  config.vocabulary = 259;
  config.width = config.joint_width = config.mlp_width = 16;
  config.layers = config.heads = 2;
  config.experts = 4;
  return config;
}

// Pictures of one colour with a little of another: class c is red, green or blue.
void write_colours(const std::string& folder, int count) {
  ShardWriter writer(folder, 8);
  for (int i = 0; i < count; ++i) {
    Image image{12, 12, std::vector<uint8_t>(12 * 12 * 3, uint8_t(20 + i))};
    for (size_t p = size_t(i % 3); p < image.pixels.size(); p += 3) image.pixels[p] = uint8_t(200 + i % 7);
    writer.add({shard_key(i), encode_png(image), "a thing", "", i % 3});
  }
  writer.finish();
}

// A small model that was never trained, and sets of three colours.
struct Fixture {
  LimoeConfig config = small_config();
  ParameterArena arena{parameter_specs(config), 3};
  Limoe model{config, arena};
  std::shared_ptr<const Tokenizer> tokenizer = make_byte_tokenizer();
  ScratchFolder folder;

  Fixture() {
    write_colours(folder / "set/train", 30);
    write_colours(folder / "set/test", 12);
  }
  std::shared_ptr<const Dataset> set(const std::string& split) {
    return std::make_shared<const Dataset>(folder / "set/" + split, DatasetOptions{});
  }
};

}  // namespace

TEST_CASE("ridge probe: its scores are those of an eigendecomposition in numpy, tall, wide and degenerate") {
  for (const std::string name : {"tall", "wide", "constant", "published"})
    for (int64_t i = 0; i < 4; ++i) {
      CAPTURE(name);
      CAPTURE(kL2[i]);
      const Tensor all = golden().tensors.at(name + ".scores");
      const Tensor wanted = all.slice(0, i, i + 1);
      const RidgeProbe probe =
          fit_ridge_probe(golden().tensors.at(name + ".support"), labels_of(name), all.dim(2), kL2[i]);
      const Tensor scores = scores_of(probe, golden().tensors.at(name + ".test"));
      CHECK_CLOSE(scores.reshape(wanted.shape()), contiguous(wanted), tolerance::kRidgeProbe);
    }
}

TEST_CASE("G18 few-shot: the published case has an accuracy of one half for any l2") {
  const Tensor support = from_vector<float>({4, 1}, {-1, -2, 2, 1}),
               test = from_vector<float>({2, 1}, {-1, -2});
  for (int power = -10; power < 20; ++power) {
    const RidgeProbe probe = fit_ridge_probe(support, {0, 0, 1, 1}, 2, std::pow(2.0, power));
    const ClassificationResult result = classify(to_dtype(probe_inputs(probe, test), DType::f32),
                                                 to_dtype(probe.weights.transpose(0, 1), DType::f32), {0, 1});
    CHECK(result.acc1 == 0.5);
  }
}

TEST_CASE("ridge probe: what it cannot fit is refused") {
  const Tensor x = from_vector<float>({2, 1}, {1, 2});
  CHECK_THROWS_WITH_AS(fit_ridge_probe(x, {0, 1}, 2, 0), "ridge probe: l2 is 0; expected a number above 0",
                       ValueError);
  CHECK_THROWS_AS(fit_ridge_probe(x, {0, 2}, 2, 1), ValueError);
  CHECK_THROWS_AS(fit_ridge_probe(x, {0}, 2, 1), ShapeError);
  CHECK_THROWS_AS(fit_ridge_probe(zeros({0, 1}), {}, 2, 1), ValueError);
  CHECK_THROWS_AS(fit_ridge_probe(full({2, 1}, std::nan("")), {0, 1}, 2, 1), ValueError);
}

TEST_CASE("few-shot: a choice depends on the seed alone, and more shots keep the pictures of fewer") {
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < 60; ++i) labels.push_back(i % 4);
  labels[0] = -1;
  const auto five = pick_shots(labels, 4, 5, 7);
  CHECK(five == pick_shots(labels, 4, 5, 7));
  CHECK(five != pick_shots(labels, 4, 5, 8));
  CHECK(std::set<int64_t>(five.begin(), five.end()).size() == 20);
  CHECK(std::find(five.begin(), five.end(), 0) == five.end());
  const auto two = pick_shots(labels, 4, 2, 7);
  for (size_t c = 0; c < 4; ++c)
    for (size_t shot = 0; shot < 2; ++shot) CHECK(two[2 * c + shot] == five[5 * c + shot]);
  for (size_t i = 0; i < five.size(); ++i) CHECK(labels[size_t(five[i])] == int64_t(i / 5));
  CHECK_THROWS_WITH_AS(pick_shots(labels, 4, 15, 7),
                       "few-shot: class 0 has 14 pictures; expected 15 or more for 15 shots", ValueError);
}

TEST_CASE("few-shot: mean and deviation over seeds") {
  CHECK(spread_of({1, 2, 3}).mean == doctest::Approx(2));
  CHECK(spread_of({1, 2, 3}).deviation == doctest::Approx(1));
  CHECK(spread_of({5}).deviation == 0);
}

TEST_CASE("few-shot: colours are told apart by a model that was never trained, with any batch and workers") {
  Fixture fixture;
  const FewshotOptions fewshot{.shots = {1, 3}, .seeds = 2, .l2 = 1};
  const auto run = [&](const EmbedOptions& options) {
    return evaluate_fewshot(fixture.model, fixture.set("train"), fixture.set("test"), fixture.tokenizer,
                            fewshot, options);
  };
  const auto results = run({});
  REQUIRE(results.size() == 2);
  CHECK(results[1].shots == 3);
  CHECK(results[1].runs.size() == 2);
  CHECK(results[1].runs[0].total == 12);
  CHECK(results[1].acc1.mean == 1);
  const auto again = run({.batch_size = 5, .workers = 0});
  for (size_t i = 0; i < 2; ++i) CHECK(again[i].acc1.mean == results[i].acc1.mean);
}

TEST_CASE("few-shot: a training picture that cannot be read is reported, and another one chosen") {
  Fixture fixture;
  ShardWriter writer(fixture.folder / "set/damaged", 8);
  for (int i = 0; i < 12; ++i) {
    Image image{12, 12, std::vector<uint8_t>(12 * 12 * 3, uint8_t(40 * (i % 3)))};
    std::vector<uint8_t> png = encode_png(image);
    if (i < 3) png.resize(40);
    writer.add({shard_key(i), png, "a thing", "", i % 3});
  }
  writer.finish();
  const auto damaged = fixture.set("damaged");
  const auto results = evaluate_fewshot(fixture.model, damaged, fixture.set("test"), fixture.tokenizer,
                                        {.shots = {3}, .seeds = 2, .l2 = 1});
  CHECK(results[0].runs.size() == 2);
  CHECK(damaged->bad_samples().size() >= 1);
  CHECK_THROWS_AS(evaluate_fewshot(fixture.model, damaged, fixture.set("test"), fixture.tokenizer,
                                   {.shots = {4}, .seeds = 1, .l2 = 1}),
                  ValueError);
  CHECK(damaged->bad_samples().size() == 3);
}

TEST_CASE("limoe eval --task fewshot: a table, and CLIP_benchmark's JSON of a linear probe") {
  const Fixture fixture;
  save_checkpoint(fixture.folder / "run",
                  {.model = fixture.config,
                   .train = TrainConfig{},
                   .arena = fixture.arena,
                   .optimizer_state = {},
                   .trainer = TrainerState{},
                   .tokenizer = *fixture.tokenizer},
                  {});
  const std::string json = fixture.folder / "out.json";
  std::vector<std::string> words{"eval",    fixture.folder / "run",
                                 "--task",  "fewshot",
                                 "--data",  fixture.folder / "set",
                                 "--l2",    "1",
                                 "--shots", "1,3",
                                 "--seeds", "2",
                                 "--json",  json};
  const Said said = limoe_says(words);
  REQUIRE_MESSAGE(said.status == 0, said.errors);
  CHECK(contains(said.output, "12 test pictures, 2 choices of training pictures, l2 1\n"));
  std::ifstream file(json);
  const auto result = nlohmann::json::parse(file);
  CHECK(result["task"] == "linear_probe");
  CHECK(result["metrics"]["acc1"] == 1);
  CHECK(result["metrics"]["acc5"].is_null());
  CHECK(result["metrics"]["fewshot_k"] == 3);
  CHECK(result["metrics"]["3shot_acc1"] == 1);
  CHECK(result["metrics"]["1shot_acc1_std"].is_number());
  words[5] = fixture.folder / "set/test/";
  CHECK(limoe_says(words).status == 0);  // train lies beside
  words[5] = fixture.folder / "set/train";
  CHECK(contains(limoe_says(words).errors,
                 "limoe: --support-data is missing; expected labelled training pictures"));
  words[9] = "1,,3";
  CHECK(limoe_says(words).errors ==
        "limoe: --shots: is \"1,,3\"; expected whole numbers from 1, like 1,5,10\n");
  CHECK(limoe_says(words).status == 2);
}
