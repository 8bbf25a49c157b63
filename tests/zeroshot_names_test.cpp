// Classes with several names, and the exact form of the results.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "models/limoe/parameters.h"
#include "models/train/evaluate.h"
#include "tensor/atomic_file.h"
#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/compare.h"
#include "tests/support/shard_fixture.h"

using namespace limoe;
using nlohmann::ordered_json;

namespace {

std::vector<std::string> keys_of(const ordered_json& object) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.push_back(key);
  return keys;
}

const std::vector<std::string> kResultKeys{"dataset", "model", "pretrained", "task", "metrics", "language"};

}  // namespace

TEST_CASE("zero-shot: a class may have several names, parted by a bar") {
  const ZeroshotClasses classes{{"sofa | couch", "lamp"}, {"a {c}", "{c}"}};
  CHECK(prompts_of(classes, false) ==
        std::vector<std::string>{"a sofa", "sofa", "a couch", "couch", "a lamp", "lamp"});
  CHECK(classes_of_prompts(classes) == std::vector<int64_t>{0, 0, 0, 0, 1, 1});
  CHECK_THROWS_WITH_AS(names_of_class("sofa |"),
                       "zero-shot: class \"sofa |\" has an empty name; expected NAME or NAME | NAME",
                       ValueError);
  const testing::ScratchFolder folder;
  write_text_file(folder / "classnames.txt", "sofa | couch\n|\n");
  CHECK_THROWS_AS(read_zeroshot_classes(folder.path()), ValueError);
}

TEST_CASE(
    "zero-shot: two names of a class give the mean of their embeddings, and one name twice is that name") {
  LimoeConfig config;
  config.image_size = 12;
  config.patch_size = 4;
  config.text_length = 12;
  config.vocabulary = 259;
  config.width = config.joint_width = config.mlp_width = 16;
  config.layers = config.heads = 2;
  const ParameterArena arena(parameter_specs(config), 3);
  const Limoe model(config, arena);
  const std::shared_ptr<const Tokenizer> tokenizer = make_byte_tokenizer();
  const testing::ScratchFolder folder;
  write_pairs(folder / "pairs", 9, 4);
  const auto set = std::make_shared<const Dataset>(folder / "pairs", DatasetOptions{});
  const auto recall = [&](const std::vector<std::string>& names) {
    return evaluate_zeroshot(model, set, tokenizer, {names, {"{c}"}}).recall;
  };
  CHECK(recall({"one | one", "two", "three"}) == recall({"one", "two", "three"}));
  const Tensor embeddings = embed_texts(model, *tokenizer, {"sofa", "couch"});
  const Tensor centre = means_by_class(embeddings, {0, 0}, 1);
  for (int64_t j = 0; j < 16; ++j)
    CHECK(centre.data<float>()[j] ==
          doctest::Approx((embeddings.data<float>()[j] + embeddings.data<float>()[16 + j]) / 2));
}

TEST_CASE("evaluate: results have exactly CLIP_benchmark's keys, in its order") {
  const EvaluationNames names{"set", "limoe", "run"};
  const auto retrieved = ordered_json::parse(clip_benchmark_json(names, RetrievalResult{}));
  CHECK(keys_of(retrieved) == kResultKeys);
  CHECK(retrieved["task"] == "zeroshot_retrieval");
  CHECK(keys_of(retrieved["metrics"]) ==
        std::vector<std::string>{"image_retrieval_recall@1", "image_retrieval_recall@5",
                                 "image_retrieval_recall@10", "text_retrieval_recall@1",
                                 "text_retrieval_recall@5", "text_retrieval_recall@10"});
  const auto classified = ordered_json::parse(clip_benchmark_json(names, ClassificationResult{}));
  CHECK(keys_of(classified) == kResultKeys);
  CHECK(keys_of(classified["metrics"]) == std::vector<std::string>{"acc1", "acc5", "mean_per_class_recall"});
  CHECK(classified["language"] == "en");
}
