// Evaluation of sets that are no plain pairs: several captions a picture, a folder of classes without
// classnames.txt.
#include <doctest/doctest.h>

#include "models/limoe/parameters.h"
#include "models/train/evaluate.h"
#include "tensor/error.h"
#include "tests/support/paths.h"

using namespace limoe;

namespace {

const std::string kFolder = testing::golden_path("data/");

// A small model that was never trained.
struct Fixture {
  LimoeConfig config = [] {
    LimoeConfig small;
    small.image_size = 8;
    small.patch_size = 4;
    small.text_length = 14;
    small.vocabulary = 259;
    small.width = small.mlp_width = 16;
    small.layers = 1;
    small.moe_layers = "none";
    small.heads = 2;
    small.joint_width = 8;
    return small;
  }();
  ParameterArena arena{parameter_specs(config), 3};
  Limoe model{config, arena};
  std::shared_ptr<const Tokenizer> tokenizer = make_byte_tokenizer();

  std::shared_ptr<const Dataset> set(const std::string& name) {
    return std::make_shared<const Dataset>(kFolder + name, DatasetOptions{});
  }
};

}  // namespace

TEST_CASE("retrieval counts every caption of a picture") {
  if (!webp_is_built_in()) return;
  Fixture fixture;
  const auto set = fixture.set("retrieval/test");
  const RetrievalResult all = evaluate_retrieval(fixture.model, set, fixture.tokenizer);
  CHECK(all.images == 4);
  CHECK(all.texts == 8);

  // The same from parts: the first captions as pairs, the others behind them.
  const EmbeddedPairs pairs = embed_pairs(fixture.model, set, fixture.tokenizer);
  std::vector<std::string> texts = pairs.captions;
  for (int64_t i = 0; i < 4; ++i) texts.push_back(set->read_text(i).other_captions.at(0));
  const RetrievalResult wanted = retrieval(
      pairs.images, embed_texts(fixture.model, *fixture.tokenizer, texts), {0, 1, 2, 3, 0, 1, 2, 3});
  CHECK(all.text_to_image.at_1 == wanted.text_to_image.at_1);
  CHECK(all.image_to_text.at_1 == wanted.image_to_text.at_1);
  CHECK(all.image_to_text.at_5 == wanted.image_to_text.at_5);
}

TEST_CASE("a folder of classes is classified by its folders' names") {
  Fixture fixture;
  const ZeroshotClasses classes = read_zeroshot_classes(kFolder + "classes");
  CHECK(classes.names == std::vector<std::string>{"big cat", "dog", "owl like"});
  CHECK(classes.templates == std::vector<std::string>{"{c}"});
  const auto result = evaluate_zeroshot(fixture.model, fixture.set("classes"), fixture.tokenizer, classes);
  CHECK(result.total == 4);
  CHECK(result.images == std::vector<int64_t>{1, 2, 1});
  CHECK_THROWS_AS(read_zeroshot_classes(kFolder + "retrieval"), FileError);
}
