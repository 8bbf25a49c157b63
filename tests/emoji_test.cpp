// The emoji data set: every invariant of its concepts and splits, and the shards it writes.
#include "data/emoji.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "data/emoji_font.h"
#include "data/emoji_splits.h"
#include "data/make.h"
#include "tensor/error.h"
#include "tests/support/shard_fixture.h"

using namespace limoe;

namespace {

struct EmojiData {
  std::vector<Emoji> all = read_emoji({}, {"de"});
  std::vector<EmojiVariant> variants = find_emoji_variants(all);
  std::vector<EmojiSplit> splits = split_emoji(all, variants, 0);

  size_t find(const std::string& name) const {
    for (size_t i = 0; i < all.size(); ++i)
      if (all[i].english.name == name) return i;
    FAIL("no emoji is called ", name);
    return 0;
  }

  const EmojiVariant& variant(const std::string& name) const { return variants[find(name)]; }
};

const EmojiData& data() {
  static const EmojiData once;
  return once;
}

using Pair = std::pair<std::string, std::string>;

// What training shows, in pairs of parts.
struct SeenInTraining {
  std::set<std::string> concepts;
  std::set<Pair> concept_gender, concept_tone, tone_gender;

  explicit SeenInTraining(const std::vector<EmojiSplit>& splits) {
    for (size_t i = 0; i < splits.size(); ++i) {
      if (splits[i] != EmojiSplit::kTrain) continue;
      const EmojiVariant& v = data().variants[i];
      concepts.insert(v.concept_name);
      concept_gender.emplace(v.concept_name, v.gender);
      concept_tone.emplace(v.concept_name, v.tone);
      tone_gender.emplace(v.tone, v.gender);
    }
  }

  // The reasons why variant i is no unseen combination of seen parts; empty when it is one.
  std::string fault(const EmojiVariant& v) const {
    if (!concepts.contains(v.concept_name)) return "concept unseen";
    if (!concept_gender.contains({v.concept_name, v.gender})) return "concept and gender unseen";
    if (!v.gender.empty() && !concept_tone.contains({v.concept_name, v.tone}))
      return "concept and tone unseen";
    if (v.gender.empty() && concept_tone.contains({v.concept_name, v.tone})) return "combination seen";
    if (!tone_gender.contains({v.tone, v.gender})) return "tone and gender unseen";
    return "";
  }
};

int64_t count(EmojiSplit split) {
  return std::count(data().splits.begin(), data().splits.end(), split);
}

}  // namespace

TEST_CASE("all 3,655 fully-qualified emoji are read, in nine groups") {
  std::set<std::string> names, groups, texts;
  for (const Emoji& emoji : data().all) {
    names.insert(emoji.english.name);
    groups.insert(emoji.group);
    texts.insert(emoji.text);
  }
  CHECK(data().all.size() == 3655);
  CHECK(names.size() == 3655);
  CHECK(texts.size() == 3655);
  CHECK(groups.size() == 9);
}

TEST_CASE("CLDR gives keywords in English and names in other languages") {
  const Emoji& grin = data().all[data().find("grinning face")];
  CHECK(grin.codepoints == U"\U0001f600");
  CHECK(grin.english.keywords == std::vector<std::string>{"face", "grin", "grinning face"});
  CHECK(grin.languages.at("de").name == "grinsendes Gesicht");
  auto with_words = [](const Emoji& emoji) { return !emoji.english.keywords.empty(); };
  CHECK(std::count_if(data().all.begin(), data().all.end(), with_words) >= 3624);
}

TEST_CASE("a caption has the name first and says no word twice") {
  CHECK(emoji_caption(data().all[data().find("grinning face")]) ==
        "grinning face, face smiling, smileys and emotion, grin");
  CHECK(emoji_caption(data().all[data().find("woman astronaut: dark skin tone")]) ==
        "woman astronaut: dark skin tone, person role, people and body, rocket");
  CHECK(emoji_caption(data().all[data().find("ant")]) == "ant, animal bug, animals and nature, insect");
  CHECK(emoji_class_words("Smileys & Emotion") == "smileys and emotion");
}

TEST_CASE("tone, gender and hair are taken from a concept") {
  const EmojiVariant& astronaut = data().variant("woman astronaut: dark skin tone");
  CHECK(astronaut.concept_name == "astronaut");
  CHECK(astronaut.tone == "dark skin tone");
  CHECK(astronaut.gender == "woman");
  CHECK_FALSE(astronaut.representative);
  CHECK(data().variant("astronaut").representative);
  CHECK(data().variant("astronaut").gender == "person");

  const EmojiVariant& man = data().variant("man: medium skin tone, curly hair");
  CHECK(man.concept_name == "person");
  CHECK(man.hair == "curly hair");
  CHECK(man.gender == "man");
  CHECK(data().variant("woman: blond hair").hair == "blond hair");
  CHECK(data().variant("thumbs up: light skin tone").concept_name == "thumbs up");
  CHECK(data().variant("thumbs up: light skin tone").gender == "");
  CHECK(data().variant("princess").concept_name == "person with crown");
  CHECK(data().variant("man running").concept_name == "person running");
}

TEST_CASE("families, couples and flags drawn alike are one concept each") {
  CHECK(data().variant("family: man, woman, boy").concept_name == "family");
  CHECK(data().variant("family: man, woman, boy").gender == "man, woman, boy");
  CHECK(data().variant("kiss: woman, woman, dark skin tone, light skin tone").concept_name == "kiss");
  CHECK(data().variant("couple with heart: man, man").concept_name == "couple with heart");
  CHECK(data().variant("women holding hands").concept_name == "people holding hands");
  CHECK(data().variant("handshake: light skin tone, dark skin tone").concept_name == "handshake");
  CHECK(data().variant("handshake: light skin tone, dark skin tone").tone ==
        "light skin tone, dark skin tone");
  CHECK(data().variant("flag: Bouvet Island").concept_name == "flag: norway");
  CHECK(data().variant("heart on fire").concept_name == "heart on fire");
  CHECK(data().variant("transgender flag").concept_name == "transgender flag");
  CHECK(data().variant("female sign").concept_name == "female sign");
}

TEST_CASE("each concept has exactly one representative, and it is the plainest variant") {
  std::map<std::string, int> representatives;
  std::map<std::string, bool> has_plain;
  for (const EmojiVariant& v : data().variants) {
    representatives[v.concept_name] += v.representative;
    bool plain = v.tone.empty() && v.hair.empty() && (v.gender.empty() || v.gender == "person");
    has_plain[v.concept_name] = has_plain[v.concept_name] || plain;
    if (v.representative) CHECK(v.tone.empty());
  }
  for (const auto& [name, number] : representatives) CHECK_MESSAGE(number == 1, name);
  for (const EmojiVariant& v : data().variants)
    if (v.representative && has_plain[v.concept_name]) CHECK((v.gender.empty() || v.gender == "person"));
}

TEST_CASE("no held-out concept occurs in training, and 190 or more are held out, from every group") {
  std::set<std::string> held_out, elsewhere, groups;
  for (size_t i = 0; i < data().all.size(); ++i) {
    bool held = data().splits[i] == EmojiSplit::kHeldoutConcepts;
    (held ? held_out : elsewhere).insert(data().variants[i].concept_name);
    if (held) groups.insert(data().all[i].group);
  }
  for (const std::string& name : held_out) CHECK_MESSAGE(!elsewhere.contains(name), name);
  CHECK(held_out.size() >= 190);
  CHECK(groups.size() == 9);
}

TEST_CASE("a held-out concept's subgroup has concepts in training") {
  std::set<std::string> in_training;
  for (size_t i = 0; i < data().all.size(); ++i)
    if (data().splits[i] == EmojiSplit::kTrain) in_training.insert(data().all[i].subgroup);
  for (size_t i = 0; i < data().all.size(); ++i)
    if (data().splits[i] == EmojiSplit::kHeldoutConcepts)
      CHECK_MESSAGE(in_training.contains(data().all[i].subgroup), data().all[i].subgroup);
}

TEST_CASE("held-out combinations are unseen, of parts seen with other partners") {
  SeenInTraining seen(data().splits);
  std::set<std::pair<Pair, std::string>> trained;
  for (size_t i = 0; i < data().all.size(); ++i) {
    const EmojiVariant& v = data().variants[i];
    if (data().splits[i] == EmojiSplit::kTrain && v.hair.empty())
      trained.insert({{v.concept_name, v.tone}, v.gender});
  }
  for (size_t i = 0; i < data().all.size(); ++i) {
    if (data().splits[i] != EmojiSplit::kHeldoutCombinations) continue;
    const EmojiVariant& v = data().variants[i];
    CHECK_MESSAGE(seen.fault(v) == "", data().all[i].english.name);
    CHECK_MESSAGE(!trained.contains({{v.concept_name, v.tone}, v.gender}), data().all[i].english.name);
  }
  CHECK(count(EmojiSplit::kHeldoutCombinations) == 150);
}

TEST_CASE("the check of combinations sees a concept that training lacks") {
  std::vector<EmojiSplit> wrong = data().splits;
  size_t held =
      size_t(std::find(wrong.begin(), wrong.end(), EmojiSplit::kHeldoutCombinations) - wrong.begin());
  for (size_t i = 0; i < wrong.size(); ++i)
    if (data().variants[i].concept_name == data().variants[held].concept_name)
      wrong[i] = EmojiSplit::kHeldoutConcepts;
  CHECK(SeenInTraining(wrong).fault(data().variants[held]) == "concept unseen");
}

TEST_CASE("splits depend on the seed and on nothing else") {
  CHECK(split_emoji(data().all, data().variants, 0) == data().splits);
  CHECK(split_emoji(data().all, data().variants, 1) != data().splits);
}

TEST_CASE("a picture that training shows is in no held-out concept") {
  EmojiFont font;
  std::map<std::vector<uint8_t>, std::pair<std::string, bool>> concept_of;  // by picture: concept, held out
  int shared = 0;
  for (size_t i = 0; i < data().all.size(); ++i) {
    bool held = data().splits[i] == EmojiSplit::kHeldoutConcepts;
    auto [known, fresh] = concept_of.try_emplace(font.draw(data().all[i].codepoints).pixels,
                                                 data().variants[i].concept_name, held);
    shared += !fresh;
    CHECK_MESSAGE(known->second.first == data().variants[i].concept_name, data().all[i].english.name);
    CHECK_MESSAGE(known->second.second == held, data().all[i].english.name);
  }
  CHECK(shared > 0);  // some pictures are shared, so the check above has something to see
}

TEST_CASE("emoji are drawn in colour on a white square") {
  EmojiFont font;
  Image heart = font.draw(U"\u2764\ufe0f");
  REQUIRE(heart.width == heart.height);
  const uint8_t* corner = heart.pixels.data();
  CHECK(int(corner[0]) == 255);
  CHECK(int(corner[2]) == 255);
  const uint8_t* middle =
      heart.pixels.data() + (size_t(heart.height / 2) * size_t(heart.width) + size_t(heart.width / 2)) * 3;
  CHECK(int(middle[0]) > 180);
  CHECK(int(middle[1]) < 90);
  CHECK(int(middle[2]) < 90);
}

TEST_CASE("what the font cannot draw is a FileError with the code points") {
  EmojiFont font;
  CHECK_THROWS_WITH_AS(font.draw(U"\u0416"), doctest::Contains("draws 416 as"), FileError);
  CHECK_THROWS_AS(font.draw(U""), FileError);
}

TEST_CASE("missing sources name the package to install") {
  CHECK_THROWS_WITH_AS(EmojiFont("/nowhere/font.ttf"),
                       doctest::Contains("apt install fonts-noto-color-emoji"), FileError);
  CHECK_THROWS_WITH_AS(read_emoji({"/nowhere/emoji-test.txt", EmojiSources().cldr_folder}, {}),
                       doctest::Contains("apt install unicode-data"), FileError);
  CHECK_THROWS_WITH_AS(read_emoji({EmojiSources().test_file, "/nowhere"}, {}),
                       doctest::Contains("apt install unicode-cldr-core"), FileError);
}

TEST_CASE("a language CLDR does not have is refused") {
  CHECK_THROWS_AS(read_emoji({}, {"klingon"}), ValueError);
  CHECK_THROWS_AS(read_emoji({}, {"../annotations/de"}), ValueError);
  CHECK_THROWS_AS(read_emoji({}, {""}), ValueError);
}

TEST_CASE("damaged source files are FileErrors") {
  testing::ScratchFolder folder;
  auto refused = [&](const std::string& text) {
    std::ofstream(folder / "emoji-test.txt") << text;
    CHECK_THROWS_AS(read_emoji({folder / "emoji-test.txt", EmojiSources().cldr_folder}, {}), FileError);
  };
  refused("");
  refused("1F600 ; fully-qualified\n");
  refused("zzz ; fully-qualified # x E1.0 name\n");
  refused("110000 ; fully-qualified # x E1.0 name\n");
}

TEST_CASE("the maker writes every emoji once, with its shards, classes and sources") {
  testing::ScratchFolder folder;
  MakeOptions options;
  options.out = folder / "emoji";
  options.size = 16;
  options.languages = {"de"};
  int64_t last = 0;
  options.progress = [&](int64_t done, int64_t) { last = std::max(last, done); };
  make_emoji(options);
  CHECK(last == 3655);

  std::map<std::string, std::set<std::string>> keys;
  for (const auto& split : {"train", "heldout-concepts", "heldout-concepts-base", "heldout-combinations"}) {
    int shards = 0;
    std::ifstream(options.out + "/" + split + "/nshards.txt") >> shards;
    for (int i = 0; i < shards; ++i)
      for (const TarMember& member :
           read_tar_index(options.out + "/" + split + "/" + std::to_string(i) + ".tar"))
        if (member.name.ends_with(".png")) CHECK(keys[split].insert(member.name).second);
  }
  std::set<std::string> all;
  for (const auto& split : {"train", "heldout-concepts", "heldout-combinations"})
    all.insert(keys[split].begin(), keys[split].end());
  CHECK(keys["train"].size() + keys["heldout-concepts"].size() + keys["heldout-combinations"].size() == 3655);
  CHECK(all.size() == 3655);
  CHECK(keys["heldout-concepts-base"].size() >= 190);
  CHECK(std::includes(keys["heldout-concepts"].begin(), keys["heldout-concepts"].end(),
                      keys["heldout-concepts-base"].begin(), keys["heldout-concepts-base"].end()));

  std::string tar = options.out + "/heldout-concepts-base/0.tar";
  std::vector<TarMember> members = read_tar_index(tar);
  REQUIRE(members.size() >= 4);
  Image picture = decode_image(read_tar_member(tar, members[0]), "first");
  CHECK(picture.width == 16);
  auto json = nlohmann::json::parse(text_of(read_tar_member(tar, members[2])));
  CHECK(json["representative"] == true);
  CHECK(json["names"].contains("de"));
  CHECK(text_of(read_tar_member(tar, members[1])).starts_with(lower_ascii(json["name"])));
  for (const auto& file :
       {"SOURCES.md", "dataset.json", "classnames.txt", "zeroshot_classification_templates.txt"})
    CHECK(std::filesystem::file_size(options.out + "/" + file) > 10);
}

TEST_CASE("drawing on one thread and on three gives the same files") {
  std::vector<Emoji> some(data().all.begin(), data().all.begin() + 40);
  CHECK(draw_emoji(some, 24, 1, {}) == draw_emoji(some, 24, 3, {}));
}

TEST_CASE("an emoji that cannot be drawn stops the maker, whichever thread meets it") {
  std::vector<Emoji> some(data().all.begin(), data().all.begin() + 40);
  some[20].codepoints = U"\u0416";
  CHECK_THROWS_AS(draw_emoji(some, 24, 2, {}), FileError);
}
