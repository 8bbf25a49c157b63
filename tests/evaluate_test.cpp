#include "models/train/evaluate.h"

#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "models/limoe/parameters.h"
#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/compare.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/shard_fixture.h"

using namespace limoe;
using limoe::testing::ScratchFolder;

namespace {

const float kNaN = std::numeric_limits<float>::quiet_NaN();

// big_vision, image_text_retrieval_test.py: 4 pictures, 8 texts, two each; distances, so scores are negated.
const std::vector<int64_t> kTwoEach{0, 0, 1, 1, 2, 2, 3, 3};
std::vector<float> published_distances() {
  return {.8f, .8f, .1f, .5f, .1f, .2f, .5f, .1f,  //
          .5f, .4f, 0,   0,   .4f, .2f, .6f, .4f,  //
          .5f, .4f, .1f, .5f, 0,   .8f, .8f, .3f,  //
          .5f, .4f, .1f, .5f, .4f, .2f, .3f, .3f};
}

Tensor scores_from(std::vector<float> distances) {
  for (float& value : distances) value = -value;
  return from_vector<float>({4, 8}, distances);
}

LimoeConfig small_config() {
  LimoeConfig config;
  config.image_size = 12;
  config.patch_size = 4;
  config.text_length = 12;
  config.vocabulary = 259;
  config.width = 16;
  config.layers = 2;
  config.heads = 2;
  config.mlp_width = 32;
  config.joint_width = 8;
  config.experts = 4;
  config.global_text_experts = config.global_image_experts = 2;
  return config;
}

// A small model that was never trained, and 20 pairs to try it on.
struct Fixture {
  LimoeConfig config = small_config();
  ParameterArena arena{parameter_specs(config), 3};
  Limoe model{config, arena};
  std::shared_ptr<const Tokenizer> tokenizer = make_byte_tokenizer();
  testing::ScratchFolder folder;

  std::shared_ptr<const Dataset> pairs(int count = 20) {
    write_pairs(folder / "pairs", count, 7);
    return std::make_shared<const Dataset>(folder / "pairs", DatasetOptions{});
  }
};

}  // namespace

TEST_CASE("retrieval: the published picture-to-text case, with its ties") {
  const Recall recall = recall_of(ranks_of_texts(scores_from(published_distances()), kTwoEach));
  CHECK(recall.at_1 == 0.5);
  CHECK(recall.at_5 == 0.75);
  CHECK(recall.at_10 == 1);
}

TEST_CASE("retrieval: the published text-to-picture case, with its ties") {
  std::vector<float> distances = published_distances();
  distances[6] = .1f;
  const Recall recall = recall_of(ranks_of_images(scores_from(distances), kTwoEach));
  CHECK(recall.at_1 == 0.375);
  CHECK(recall.at_5 == 1);
  CHECK(recall.at_10 == 1);
}

TEST_CASE("retrieval: chunks of any size give the ranks of the whole matrix") {
  // Rows of whole numbers: every product is exact, and many are equal.
  std::vector<float> images, texts;
  for (int i = 0; i < 23; ++i)
    for (int j = 0; j < 4; ++j) {
      images.push_back(float((i * 7 + j * 3) % 5 - 2));
      texts.push_back(float((i * 3 + j * 5 + i / 4) % 5 - 2));
    }
  const Tensor image_rows = from_vector<float>({23, 4}, images),
               text_rows = from_vector<float>({23, 4}, texts);
  const RetrievalResult whole = retrieval(image_rows, text_rows, {}, 1000);
  for (const int64_t chunk : {1, 2, 22, 23}) {
    const RetrievalResult result = retrieval(image_rows, text_rows, {}, chunk);
    CHECK(result.text_to_image.at_5 == whole.text_to_image.at_5);
    CHECK(result.image_to_text.at_10 == whole.image_to_text.at_10);
  }
  CHECK(whole.text_to_image.at_5 > 0);
  CHECK(whole.text_to_image.at_5 < 1);
}

TEST_CASE("retrieval: embeddings that are all alike find the first picture only") {
  const RetrievalResult result = retrieval(full({10, 3}, 0.5), full({10, 3}, 0.5));
  CHECK(result.text_to_image.at_1 == doctest::Approx(0.1));
  CHECK(result.image_to_text.at_5 == doctest::Approx(0.5));
}

TEST_CASE("retrieval: a NaN is never right, and hides no other answer") {
  const Tensor scores = from_vector<float>({2, 2}, {kNaN, kNaN, 0, 1});
  CHECK(ranks_of_images(scores, {0, 1}) == std::vector<int64_t>{2, 1});
  CHECK(recall_of({2, 2}).at_1 == 0);
  const RetrievalResult all = retrieval(full({30, 2}, kNaN), full({30, 2}, 1));
  CHECK(all.text_to_image.at_10 == 0);
  CHECK(all.image_to_text.at_10 == 0);
}

TEST_CASE("retrieval: a picture without a text is a candidate and no query") {
  const Tensor images = from_vector<float>({3, 2}, {1, 0, 0, 1, 1, 1});
  const Tensor texts = from_vector<float>({2, 2}, {1, 0, 0, 1});
  const RetrievalResult result = retrieval(images, texts, {0, 1});
  CHECK(result.image_to_text.at_1 == 1);
  CHECK(ranks_of_texts(from_vector<float>({2, 1}, {1, 2}), {1}) == std::vector<int64_t>{-1, 0});
}

TEST_CASE("retrieval: numbers of texts and pictures that do not fit are refused") {
  CHECK_THROWS_AS(retrieval(zeros({3, 2}), zeros({2, 2})), ShapeError);
  CHECK_THROWS_AS(retrieval(zeros({3, 2}), zeros({3, 4})), ShapeError);
  CHECK_THROWS_AS(retrieval(zeros({3, 2}), zeros({2, 2}), {0}), ShapeError);
  CHECK_THROWS_AS(retrieval(zeros({3, 2}), zeros({2, 2}), {0, 3}), ValueError);
}

TEST_CASE("zero-shot: the published averages, of classes with unequal numbers of prompts") {
  const Tensor values = from_vector<float>({10, 1}, {1, 3, 3, 1, 8, 0, 32, 0, 0, 0});
  const std::vector<int64_t> class_of{0, 0, 0, 0, 1, 1, 2, 2, 2, 2};
  CHECK(to_vector<float>(means_by_class(values, class_of, 3)) == std::vector<float>{2, 4, 8});
  CHECK_THROWS_AS(means_by_class(values, class_of, 4), ValueError);
  CHECK_CLOSE(unit_rows(from_vector<float>({2, 2}, {2, 2, 0, 0})),
              from_vector<float>({2, 2}, {float(std::sqrt(0.5)), float(std::sqrt(0.5)), 0, 0}),
              tolerance::f32_sum(2));
}

TEST_CASE("zero-shot: text is canonicalised as published") {
  CHECK(canonical_text("test___test") == "test test");
  CHECK(canonical_text("test.") == "test");
  CHECK(canonical_text("test {}") == "test");
  CHECK(canonical_text("test {}", true) == "test {}");
  CHECK(canonical_text("  A photo, of THE\tT-shirt! ") == "a photo of the tshirt");
  CHECK(canonical_text("Überraschung, naïve") == "Überraschung naïve");
}

TEST_CASE("zero-shot: classes and templates are found beside the data, and make prompts class by class") {
  const ScratchFolder folder;
  std::filesystem::create_directories(folder / "set/test");
  CHECK_THROWS_AS(read_zeroshot_classes(folder / "set/test"), FileError);
  std::ofstream(folder / "set/classnames.txt") << "T-shirt\r\nbag\n";
  for (const char* place : {"set/test", "set/test/", "set"})
    CHECK(read_zeroshot_classes(folder / place).templates == std::vector<std::string>{"{c}"});
  std::ofstream(folder / "set/zeroshot_classification_templates.txt") << "a photo of a {c}.\n{}\n";
  const ZeroshotClasses classes = read_zeroshot_classes(folder / "set/test");
  CHECK(prompts_of(classes, false) ==
        std::vector<std::string>{"a photo of a T-shirt.", "T-shirt", "a photo of a bag.", "bag"});
  CHECK(prompts_of(classes, true)[0] == "a photo of a tshirt");
  std::ofstream(folder / "wrong.txt") << "a photo\n";
  CHECK_THROWS_AS(read_zeroshot_classes(folder / "set", "", folder / "wrong.txt"), ValueError);
}

TEST_CASE("zero-shot: accuracies and recall per class, worked out by hand") {
  const Tensor centres = from_vector<float>({2, 2}, {1, 0, 0, 1});
  const Tensor images = from_vector<float>({4, 2}, {1, 0, .2f, .8f, .9f, .1f, .5f, .5f});
  // The last picture's scores are equal, which counts for class 0.
  const ClassificationResult result = classify(images, centres, {0, 0, 0, 1});
  CHECK(result.acc1 == 0.5);
  CHECK(!result.acc5);
  CHECK(result.recall[0] == doctest::Approx(2.0 / 3));
  CHECK(result.recall[1] == 0);
  CHECK(result.mean_per_class_recall == doctest::Approx(1.0 / 3));
  CHECK(classify(images, centres, {0, 0, 0, 0}).mean_per_class_recall == 0.75);  // class 1 does not occur
  CHECK_THROWS_AS(classify(images, centres, {0, 0, 0, 2}), ValueError);
}

TEST_CASE("zero-shot: acc5 counts the five best, and a NaN is never right") {
  std::vector<float> identity(36, 0);
  for (size_t i = 0; i < 6; ++i) identity[7 * i] = 1;
  const Tensor centres = from_vector<float>({6, 6}, identity);
  const Tensor images = from_vector<float>({2, 6}, {6, 5, 4, 3, 2, 1, 6, 5, 4, 3, 2, 1});
  CHECK(classify(images, centres, {4, 5}).acc5 == 0.5);
  CHECK(classify(full({2, 6}, kNaN), centres, {0, 1}).acc5 == 0);
}

TEST_CASE("evaluate: a pair embeds alone as it does in a batch of any size") {
  Fixture fixture;
  const auto dataset = fixture.pairs();
  EmbedOptions options;
  const EmbeddedPairs all = embed_pairs(fixture.model, dataset, fixture.tokenizer, options);
  CHECK(all.size() == 20);
  CHECK(all.captions[3] == "thing 3");
  CHECK(all.labels[5] == 2);
  for (const int64_t batch_size : {1, 7}) {
    options.batch_size = batch_size;
    const EmbeddedPairs again = embed_pairs(fixture.model, dataset, fixture.tokenizer, options);
    CHECK_CLOSE(again.images, all.images, tolerance::f32_sum(64));
    CHECK_CLOSE(again.texts, all.texts, tolerance::f32_sum(64));
  }
}

TEST_CASE("evaluate: pictures and texts given one by one embed as those of a data set") {
  Fixture fixture;
  const auto dataset = fixture.pairs();
  const EmbeddedPairs pairs = embed_pairs(fixture.model, dataset, fixture.tokenizer);
  const Tensor texts = embed_texts(fixture.model, *fixture.tokenizer, pairs.captions, {.batch_size = 3});
  const auto image_at = [](int64_t i) { return numbered_image(12, 12, int(i)); };
  const Tensor images = embed_images(fixture.model, 20, image_at, {.batch_size = 3});
  CHECK_CLOSE(texts, pairs.texts, tolerance::f32_sum(64));
  CHECK_CLOSE(images, pairs.images, tolerance::f32_sum(64));
  CHECK(embed_texts(fixture.model, *fixture.tokenizer, {}).dim(0) == 0);
}

TEST_CASE("evaluate: progress ends at the whole, and a wrong batch size is refused") {
  Fixture fixture;
  int64_t last = 0, whole = 0;
  EmbedOptions options;
  options.batch_size = 8;
  options.progress = [&](const std::string&, int64_t done, int64_t total) {
    CHECK(done > last);
    last = done;
    whole = total;
  };
  evaluate_retrieval(fixture.model, fixture.pairs(), fixture.tokenizer, options);
  CHECK(last == 20);
  CHECK(whole == 20);
  options.batch_size = 0;
  CHECK_THROWS_AS(embed_texts(fixture.model, *fixture.tokenizer, {"a"}, options), ValueError);
}

TEST_CASE("evaluate: a sample of a class without a name is refused, naming the sample") {
  Fixture fixture;
  const auto dataset = fixture.pairs();  // classes 0, 1, 2
  const ClassificationResult result =
      evaluate_zeroshot(fixture.model, dataset, fixture.tokenizer, {{"a", "b", "c"}, {"{c}", "a {c}"}});
  CHECK(result.total == 20);
  CHECK(result.images == std::vector<int64_t>{7, 7, 6});
  CHECK_THROWS_AS(evaluate_zeroshot(fixture.model, dataset, fixture.tokenizer, {{"a", "b"}, {"{c}"}}),
                  ValueError);
}

TEST_CASE("evaluate: routing is counted at the capacity of training, over every pair") {
  Fixture fixture;
  fixture.config.capacity_factor = 0.5;
  const auto statistics = routing_in_training(fixture.config, fixture.arena, fixture.pairs(),
                                              fixture.tokenizer, {.batch_size = 10});
  REQUIRE(statistics.size() == 2);  // one MoE block, two modalities
  int64_t image_tokens = 0;
  double dropped = 0;
  for (const RouterStatistics& router : statistics) {
    double load = 0;
    for (const double share : router.load) load += share;
    CHECK(load == doctest::Approx(1));
    dropped += router.drop_rate;
    if (router.modality == Modality::image) image_tokens = router.tokens;
  }
  CHECK(image_tokens == 20 * 9);
  CHECK(dropped > 0.5);  // half of all places are missing
}

TEST_CASE("evaluate: results are CLIP_benchmark's JSON") {
  RetrievalResult retrieved;
  retrieved.text_to_image = {0.25, 0.5, 0.75};
  retrieved.image_to_text = {0.125, 0.375, 0.625};
  const EvaluationNames names{"data/a \"b\"", "limoe-2x16", "runs/a"};
  const auto json = nlohmann::json::parse(clip_benchmark_json(names, retrieved));
  CHECK(json["dataset"] == "data/a \"b\"");
  CHECK(json["task"] == "zeroshot_retrieval");
  CHECK(json["language"] == "en");
  CHECK(json["metrics"]["image_retrieval_recall@5"] == 0.5);
  CHECK(json["metrics"]["text_retrieval_recall@10"] == 0.625);
  ClassificationResult classified;
  classified.acc1 = 0.5;
  const auto of_classes = nlohmann::json::parse(clip_benchmark_json(names, classified));
  CHECK(of_classes["task"] == "zeroshot_classification");
  CHECK(of_classes["metrics"]["acc1"] == 0.5);
  CHECK(of_classes["metrics"]["acc5"].is_null());
}
