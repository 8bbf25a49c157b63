#include "models/train/expert_view.h"

#include <doctest/doctest.h>

#include <set>

#include "models/limoe/parameters.h"
#include "models/train/expert_favourites.h"
#include "models/train/model_inputs.h"
#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/shard_fixture.h"

using namespace limoe;

namespace {

LimoeConfig small_config() {
  LimoeConfig config;
  config.image_size = 12;
  config.patch_size = 4;
  config.text_length = 14;
  config.vocabulary = 259;
  config.width = 16;
  config.layers = 4;
  config.heads = 2;
  config.mlp_width = 32;
  config.joint_width = 8;
  config.experts = 4;
  config.experts_per_token = 2;
  config.global_text_experts = config.global_image_experts = 2;
  return config;
}

struct Fixture {
  explicit Fixture(const LimoeConfig& c = small_config()) : config(c) {}
  LimoeConfig config;
  ParameterArena arena{parameter_specs(config), 3};
  Limoe model{config, arena};
  std::unique_ptr<Tokenizer> tokenizer = make_byte_tokenizer();
};

std::vector<Image> pictures(int count) {
  std::vector<Image> all;
  for (int i = 0; i < count; ++i) all.push_back(numbered_image(12, 12, i));
  return all;
}

std::vector<std::string> texts_of(const std::vector<Word>& words) {
  std::vector<std::string> texts;
  for (const Word& word : words) texts.push_back(word.text);
  return texts;
}

// One layer, one choice a token.
ExpertChoices choices_of(const std::vector<ExpertChoice>& all) {
  ExpertChoices choices(1, int64_t(all.size()), 1);
  for (size_t token = 0; token < all.size(); ++token) choices.at(0, int64_t(token)) = all[token];
  return choices;
}

TextExperts text_view(const std::vector<std::string>& pieces, const std::vector<ExpertChoice>& all) {
  return {pieces, words_of(pieces), choices_of(all)};
}

}  // namespace

TEST_CASE("words: pieces of each kind of tokenizer make the same words") {
  const std::vector<std::string> wanted{"red", "heart", "</s>"};
  const std::string mark = "\xE2\x96\x81";
  CHECK(texts_of(words_of({mark + "red", mark + "hea", "rt", "</s>"})) == wanted);
  CHECK(texts_of(words_of({mark, "red", mark, "hea", "rt", "</s>"})) == wanted);
  CHECK(texts_of(words_of({"red</w>", "hea", "rt</w>", "</s>"})) == wanted);
  CHECK(texts_of(words_of({"r", "e", "d", "<0x20>", "h", "e", "a", "r", "t", "</s>"})) == wanted);
  CHECK(texts_of(words_of({"<0xC3>", "<0xA9>", "t", "<0xC3>", "<0xA9>"})) ==
        std::vector<std::string>{"\xC3\xA9t\xC3\xA9"});
}

TEST_CASE("words: every piece belongs to exactly one word") {
  const std::string mark = "\xE2\x96\x81";
  for (const std::vector<std::string>& pieces : {std::vector<std::string>{},
                                                 {mark},
                                                 {"</s>"},
                                                 {mark, mark, "a", mark, "</s>"},
                                                 {"a", "<0x20>"},
                                                 {"<unk>", "a", "<unk>", "</s>"},
                                                 {"<0x20>", "</s>"}}) {
    int64_t next = 0;
    for (const Word& word : words_of(pieces)) {
      CHECK(word.first == next);
      CHECK(word.count > 0);
      next += word.count;
    }
    CHECK(next == int64_t(pieces.size()));
  }
  CHECK(words_of({"a", "<unk>"})[1].special);
  CHECK(!words_of({"<0x3C>", "a", "<unk>"})[0].special);
}

TEST_CASE("expert view: choices and gates are the router's own") {
  Fixture fixture;
  const std::vector<Image> images = pictures(3);
  const std::vector<ImageExperts> views = experts_of_images(fixture.model, images);
  const LimoeOutputs outputs =
      fixture.model.forward(image_inputs(fixture.model, 3, [&](int64_t i) { return images[size_t(i)]; }));
  REQUIRE(views.size() == 3);
  REQUIRE(outputs.routers.size() == 2);
  for (size_t layer = 0; layer < 2; ++layer) {
    const auto probs = to_vector<float>(outputs.routers[layer].probs);
    const auto experts = to_vector<int32_t>(outputs.routers[layer].routing.expert_of);
    for (int64_t row = 0; row < 3; ++row)
      for (int64_t column = 0; column < 3; ++column) {
        const size_t token = size_t(2 * 9 + row * 3 + column);  // of the last picture
        const ExpertChoice& first = views[2].at(layer, row, column);
        const ExpertChoice& second = views[2].at(layer, row, column, 1);
        CHECK(first.expert == experts[token * 2]);
        CHECK(first.gate == probs[token * 4 + size_t(first.expert)]);
        CHECK(second.gate <= first.gate);
        CHECK(second.expert != first.expert);
        CHECK(!first.dropped);
      }
  }
}

TEST_CASE("expert view: a text's pieces end with EOS, and padding is left out") {
  Fixture fixture;
  const auto views =
      experts_of_texts(fixture.model, *fixture.tokenizer, {"a bee", "", "a very long text, cut"});
  REQUIRE(views.size() == 3);
  CHECK(views[0].pieces.size() == 6);
  CHECK(texts_of(views[0].words) == std::vector<std::string>{"a", "bee", "</s>"});
  CHECK(views[1].pieces == std::vector<std::string>{"</s>"});
  CHECK(views[2].choices.tokens() == 14);
  for (const TextExperts& view : views) {
    CHECK(view.choices.layers() == 2);
    CHECK(view.choices.tokens() == int64_t(view.pieces.size()));
  }
}

TEST_CASE("expert view: without a limit, a batch of any size shows the same") {
  Fixture fixture;
  const std::vector<Image> images = pictures(5);
  const std::vector<std::string> texts{"one", "two bees", "three"};
  for (const int64_t batch_size : {1, 2}) {
    const auto some = experts_of_images(fixture.model, images, batch_size),
               all = experts_of_images(fixture.model, images);
    for (size_t i = 0; i < images.size(); ++i) CHECK(some[i].at(1, 2, 1).expert == all[i].at(1, 2, 1).expert);
    const auto words = experts_of_texts(fixture.model, *fixture.tokenizer, texts, batch_size);
    CHECK(words[2].choices.at(1, 4).expert ==
          experts_of_texts(fixture.model, *fixture.tokenizer, texts)[2].choices.at(1, 4).expert);
  }
  CHECK_THROWS_AS(experts_of_images(fixture.model, images, 0), ValueError);
}

TEST_CASE("expert view: what has no place under the capacity of evaluation is marked") {
  LimoeConfig config = small_config();
  config.eval_capacity_factor = 0.5;
  Fixture fixture(config);
  int64_t dropped = 0, all = 0;
  for (const ImageExperts& view : experts_of_images(fixture.model, pictures(8)))
    for (int64_t token = 0; token < 9; ++token)
      for (int64_t k = 0; k < 2; ++k, ++all) dropped += view.choices.at(0, token, k).dropped;
  CHECK(dropped >= all / 2 - 4 * 4);  // capacities are raised to multiples of 4
  CHECK(dropped < all);
}

TEST_CASE("expert view: a dense model has no layers") {
  LimoeConfig config = small_config();
  config.dense = true;
  Fixture fixture(config);
  const auto images = experts_of_images(fixture.model, pictures(2));
  const auto texts = experts_of_texts(fixture.model, *fixture.tokenizer, {"a"});
  CHECK(images[0].choices.layers() == 0);
  CHECK(texts[0].pieces.size() == 2);
  CHECK(favourites_of(images, texts, config.experts).empty());
  CHECK(favourites_of({}, {}, 4).empty());
}

TEST_CASE("favourites: a picture gives an expert its best patch, the best picture first") {
  const ImageExperts first{1, 3, choices_of({{0, .5f, false}, {0, .7f, false}, {1, .9f, false}})};
  const ImageExperts second{1, 3, choices_of({{0, .7f, false}, {0, .6f, false}, {1, .95f, true}})};
  const auto favourites = favourites_of({first, second}, {}, 3)[0];
  REQUIRE(favourites[0].patches.size() == 2);
  CHECK(favourites[0].patches[0].image == 0);  // equal gates: the order of the set
  CHECK(favourites[0].patches[0].column == 1);
  CHECK(favourites[0].patches[1].image == 1);
  CHECK(favourites[1].patches.size() == 1);  // the dropped one does not count
  CHECK(favourites[2].patches.empty());
  CHECK(favourites[0].image_load == doctest::Approx(4.0 / 6));
  CHECK(favourites_of({first, second}, {}, 3, {.patches = 1})[0][0].patches.size() == 1);
}

TEST_CASE("favourites: a word is ranked by what it gives of itself, over all its occurrences") {
  const std::vector<TextExperts> texts{
      text_view({"cat</w>", "dog</w>", "</s>"}, {{0, .8f, false}, {0, .6f, false}, {1, 1, false}}),
      text_view({"cat</w>", "do", "g</w>"}, {{1, .9f, false}, {0, .3f, false}, {1, .8f, false}}),
      text_view({"once</w>"}, {{0, .99f, false}})};
  const auto words = favourites_of({}, texts, 2)[0][0].words;
  REQUIRE(words.size() == 2);  // "once" is too rare
  CHECK(words[0].text == "cat");
  CHECK(words[0].share == doctest::Approx(0.4));
  CHECK(words[1].share == doctest::Approx((0.6 + 0.15) / 2));
  CHECK(words[1].occurrences == 2);
  CHECK(favourites_of({}, {texts[2]}, 2)[0][0].words.at(0).text == "once");
}

TEST_CASE("favourites: punctuation at a word's ends does not make another word") {
  const std::vector<TextExperts> texts{
      text_view({"flag:</w>", "o'clock</w>", "...</w>"}, {{0, .5f, false}, {0, .5f, false}, {0, .4f, false}}),
      text_view({"(flag)</w>", "...</w>"}, {{0, .7f, false}, {0, .4f, false}})};
  const auto words = favourites_of({}, texts, 1)[0][0].words;
  REQUIRE(words.size() == 2);
  CHECK(words[0].text == "flag");
  CHECK(words[0].share == doctest::Approx(0.6));
  CHECK(words[1].text == "...");
}
