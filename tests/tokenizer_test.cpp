#include "data/tokenizer.h"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>

#include "data/lower_case.h"
#include "tensor/atomic_file.h"
#include "tensor/error.h"
#include "tests/support/shard_fixture.h"

namespace limoe {
namespace {

// Every character is one piece: 'a' is 2, 'b' is 3, ...
class LetterTokenizer final : public Tokenizer {
 public:
  explicit LetterTokenizer(int32_t pad_id) : pad_id_(pad_id) {}
  std::vector<int32_t> encode(std::string_view text) const override {
    std::vector<int32_t> ids;
    for (char letter : text) ids.push_back(letter - 'a' + 2);
    return ids;
  }
  int32_t vocab_size() const override { return 28; }
  int32_t eos_id() const override { return 1; }
  int32_t pad_id() const override { return pad_id_; }
  std::string piece(int32_t) const override { return ""; }
  std::string kind() const override { return "letters"; }
  void save(const std::filesystem::path&) const override {}

 private:
  int32_t pad_id_;
};

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

const std::vector<std::string>& captions() {
  static const std::vector<std::string> list = {"a red heart",  "a blue heart", "the face of a cat",
                                                "a dog face",   "two hearts",   "a face in tears",
                                                "Flag: Sweden", "flag: Norway"};
  return list;
}

}  // namespace

TEST_CASE("EOS is sticky: it ends the pieces, and stays when the text is too long") {
  const TextOptions options{.max_len = 3};
  const LetterTokenizer pad_0(0), pad_1(1);
  CHECK(tokenize(pad_0, "a", options).ids == std::vector<int32_t>{2, 1, 0});
  CHECK(tokenize(pad_0, "aa", options).ids == std::vector<int32_t>{2, 2, 1});
  CHECK(tokenize(pad_0, "aaa", options).ids == std::vector<int32_t>{2, 2, 1});
  CHECK(tokenize(pad_1, "a", options).ids == std::vector<int32_t>{2, 1, 1});
  CHECK(tokenize(pad_0, "abcdef", {.max_len = 4}).ids == std::vector<int32_t>{2, 3, 4, 1});
}

TEST_CASE("valid counts pieces and EOS, whatever the padding is") {
  const LetterTokenizer pad_1(1);
  CHECK(tokenize(pad_1, "", {.max_len = 3}).valid == 1);
  CHECK(tokenize(pad_1, "a", {.max_len = 3}).valid == 2);
  CHECK(tokenize(pad_1, "aaaa", {.max_len = 3}).valid == 3);
}

TEST_CASE("the padding id can be chosen, but must be in the vocabulary") {
  const LetterTokenizer pad_0(0);
  CHECK(tokenize(pad_0, "a", {.max_len = 3, .pad_id = 1}).ids == std::vector<int32_t>{2, 1, 1});
  CHECK_THROWS_WITH_AS(tokenize(pad_0, "a", {.max_len = 3, .pad_id = 28}),
                       "tokenize: pad_id is 28; expected 0..27", ValueError);
  CHECK_THROWS_AS(tokenize(pad_0, "a", {.max_len = 0}), ValueError);
}

TEST_CASE("capital letters of European alphabets become small, and nothing else changes") {
  CHECK(lower_case("A RED Heart 3!") == "a red heart 3!");
  CHECK(lower_case("ÀÉÎÖØÞ × ß") == "àéîöøþ × ß");
  CHECK(lower_case("ŁÓDŹ ŽŠČ İŸ Ő") == "łódź žšč iÿ ő");
  CHECK(lower_case("ΑΣΩ ΆΈΌΎΏ Ϊ") == "ασω άέόύώ ϊ");
  CHECK(lower_case("ЯБЛОКО ЁЖ ЂЏ Ґ Ӂ") == "яблоко ёж ђџ ґ ӂ");
  CHECK(lower_case("ԱՖ VIỆT ẞ") == "աֆ việt ß");
  CHECK(lower_case("日本 😀 ﷺ") == "日本 😀 ﷺ");
}

TEST_CASE("bytes that are not UTF-8 pass through lower-casing") {
  const std::string broken = "\xC3 \xFF\x80 \xE2\x82";
  CHECK(lower_case(broken) == broken);
  CHECK(lower_case("A\xC3") == "a\xC3");
}

TEST_CASE("the byte tokenizer gives byte + 3, and reads itself back") {
  const auto tokenizer = make_byte_tokenizer();
  CHECK(tokenize(*tokenizer, "Hi", {.max_len = 4}).ids == std::vector<int32_t>{'h' + 3, 'i' + 3, 1, 0});
  CHECK(tokenizer->encode("\xFF") == std::vector<int32_t>{258});
  CHECK(tokenizer->vocab_size() == 259);
  CHECK(tokenizer->piece('h' + 3) == "h");
  CHECK(tokenizer->piece(3) == "<0x00>");
  CHECK(tokenizer->piece(1) == "</s>");
  CHECK_THROWS_AS(tokenizer->piece(259), ValueError);
  const testing::ScratchFolder folder;
  tokenizer->save(folder / "tokenizer");
  CHECK(load_tokenizer(folder / "tokenizer")->kind() == "bytes");
  CHECK(load_tokenizer("bytes")->kind() == "bytes");
}

TEST_CASE("a file that is no tokenizer is refused by name") {
  const testing::ScratchFolder folder;
  CHECK_THROWS_AS(load_tokenizer(folder / "absent.model"), FileError);
  write_text_file(folder / "empty.model", "");
  CHECK_THROWS_AS(load_tokenizer(folder / "empty.model"), FileError);
  CHECK_THROWS_AS(make_byte_tokenizer()->save(folder / "no/such/folder"), FileError);
}

TEST_CASE("a trained SentencePiece model has padding 0, EOS 1, unknown 2, and is the same each time" *
          doctest::skip(!sentencepiece_is_built_in())) {
  const auto tokenizer = train_sentencepiece(captions(), {.vocab_size = 64});
  CHECK(tokenizer->kind() == "sentencepiece");
  CHECK(tokenizer->pad_id() == 0);
  CHECK(tokenizer->eos_id() == 1);
  CHECK(tokenizer->piece(2) == "<unk>");
  CHECK(tokenizer->vocab_size() <= 64);
  CHECK_THROWS_AS(tokenizer->piece(tokenizer->vocab_size()), ValueError);

  const testing::ScratchFolder folder;
  tokenizer->save(folder / "a.model");
  train_sentencepiece(captions(), {.vocab_size = 64})->save(folder / "b.model");
  CHECK(read_file(folder / "a.model") == read_file(folder / "b.model"));
}

TEST_CASE("SentencePiece text is lower-cased, cut into pieces and read back from its file alike" *
          doctest::skip(!sentencepiece_is_built_in())) {
  const auto tokenizer = train_sentencepiece(captions(), {.vocab_size = 64});
  const testing::ScratchFolder folder;
  tokenizer->save(folder / "text.model");
  const auto loaded = load_tokenizer(folder / "text.model");
  for (const std::string& caption : captions()) {
    const TextIds ids = tokenize(*tokenizer, caption, {});
    CHECK(ids.ids == tokenize(*loaded, lower_case(caption), {.lower_case = false}).ids);
    std::string text;
    for (int32_t i = 0; i + 1 < ids.valid; ++i)
      text += tokenizer->piece(ids.ids[static_cast<std::size_t>(i)]);
    CHECK(text.find("<unk>") == std::string::npos);
  }
  CHECK(tokenize(*tokenizer, "z", {.max_len = 4}).ids[1] == 2);  // never seen in training
}

TEST_CASE("SentencePiece training refuses what it cannot use" * doctest::skip(!sentencepiece_is_built_in())) {
  CHECK_THROWS_AS(train_sentencepiece({}, {}), ValueError);
  CHECK_THROWS_AS(train_sentencepiece({"", ""}, {}), ValueError);
  CHECK_THROWS_AS(train_sentencepiece(captions(), {.vocab_size = 5}),
                  ValueError);  // fewer than there are letters
  const testing::ScratchFolder folder;
  write_text_file(folder / "noise.model", "this is not a model");
  CHECK_THROWS_AS(load_tokenizer(folder / "noise.model"), FileError);
}

TEST_CASE("without punctuation every ASCII mark is a blank; letters of any script stay") {
  CHECK(prepared_text("Flag: Côte d'Ivoire, money-mouth", {.punctuation = false}) ==
        "flag  côte d ivoire  money mouth");
  CHECK(prepared_text("A, b", {.lower_case = false}) == "A, b");
  const auto tokenizer = make_byte_tokenizer();
  CHECK(tokenize(*tokenizer, "a,b", {.max_len = 5, .punctuation = false}).ids ==
        std::vector<int32_t>{'a' + 3, ' ' + 3, 'b' + 3, 1, 0});
}

}  // namespace limoe
