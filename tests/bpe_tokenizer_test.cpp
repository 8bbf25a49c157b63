#include "data/bpe_tokenizer.h"

#include <doctest/doctest.h>
#include <zlib.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>

#include "data/bpe_merges.h"
#include "data/bpe_text.h"
#include "data/gunzip.h"
#include "data/unicode_classes.h"
#include "tensor/atomic_file.h"
#include "tensor/error.h"
#include "tests/support/paths.h"
#include "tests/support/shard_fixture.h"

using namespace limoe;
using limoe::testing::ScratchFolder;

namespace {

const std::string kGolden = testing::golden_path();

std::string read_all(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string gzipped(const std::string& text) {
  const ScratchFolder folder;
  const gzFile file = gzopen((folder / "a.gz").c_str(), "wb9");
  gzwrite(file, text.data(), unsigned(text.size()));
  gzclose(file);
  return read_all(folder / "a.gz");
}

// Texts and ids as the golden script writes them; those that the tokenizer gives other ids for.
std::vector<std::string> differences(const Tokenizer& tokenizer, const std::string& cases) {
  std::istringstream lines(cases);
  std::vector<std::string> different;
  int64_t count = 0;
  for (std::string text, numbers; std::getline(lines, text) && std::getline(lines, numbers); ++count) {
    std::istringstream parts(numbers);
    const std::vector<int32_t> wanted{std::istream_iterator<int32_t>(parts), {}};
    const std::vector<int32_t> got = tokenizer.encode(nlohmann::json::parse(text).get<std::string>());
    if (got != wanted) different.push_back(text + ": " + nlohmann::json(got).dump() + ", not " + numbers);
  }
  CHECK(count > 0);
  return different;
}

void check_same(const Tokenizer& tokenizer, const std::string& cases) {
  const std::vector<std::string> different = differences(tokenizer, cases);
  for (size_t i = 0; i < std::min<size_t>(different.size(), 10); ++i) MESSAGE(different[i]);
  CHECK(different.size() == 0);
}

std::string refusal(const std::string& content) {
  try {
    parse_bpe("merges.txt", content);
  } catch (const FileError& error) {
    return error.what();
  }
  return "";
}

std::vector<std::string> words_of(const std::string& text) {
  const std::vector<std::string_view> words = split_for_bpe(text);
  return {words.begin(), words.end()};
}

}  // namespace

TEST_CASE("bpe: ids are those of CLIP's tokenizer in Python reading the same merges") {
  const auto tokenizer = load_tokenizer(kGolden + "bpe_merges.txt");
  CHECK(tokenizer->kind() == "bpe");
  check_same(*tokenizer, read_all(kGolden + "bpe_golden.txt"));
  // The checker sees a wrong id.
  CHECK(differences(*tokenizer, "\"a\"\n1 2 3\n").size() == 1);
}

// By hand: LIMOE_BPE_MERGES=bpe_simple_vocab_16e6.txt.gz, LIMOE_BPE_CASES=what make_bpe.py --texts wrote.
TEST_CASE("bpe: ids are those of CLIP's own vocabulary, where it is given" *
          doctest::skip(std::getenv("LIMOE_BPE_MERGES") == nullptr)) {
  const auto tokenizer = load_tokenizer(std::getenv("LIMOE_BPE_MERGES"));
  CHECK(tokenizer->vocab_size() == 49408);
  CHECK(tokenizer->eos_id() == 49407);
  check_same(*tokenizer, read_all(std::getenv("LIMOE_BPE_CASES")));
}

TEST_CASE("bpe: a row starts with the start, ends with the end even when cut, and is padded with 0") {
  const auto tokenizer = load_tokenizer(kGolden + "bpe_merges.txt");
  const int32_t start = tokenizer->vocab_size() - 2, end = start + 1;
  CHECK(tokenizer->eos_id() == end);
  const TextIds ids = tokenize(*tokenizer, "A  CAT", {.max_len = 8});
  CHECK(ids.ids[0] == start);
  CHECK(ids.ids[size_t(ids.valid) - 1] == end);
  CHECK(ids.ids.back() == 0);
  CHECK(tokenizer->piece(ids.ids[1]) == "a</w>");
  const TextIds cut = tokenize(*tokenizer, "one two three four five six", {.max_len = 4});
  CHECK(cut.valid == 4);
  CHECK(cut.ids[0] == start);
  CHECK(cut.ids[3] == end);
  CHECK(tokenize(*tokenizer, "", {.max_len = 3}).ids == std::vector<int32_t>{start, end, 0});
  CHECK(tokenize(*tokenizer, "\u039F\u0394\u039F\u03A3", {.max_len = 16}).ids ==
        tokenize(*tokenizer, "\u03BF\u03B4\u03BF\u03C2", {.max_len = 16}).ids);  // lower-cased once, by BPE
}

TEST_CASE("bpe: pieces can be read, and bytes that are no character of their own are said in digits") {
  const auto tokenizer = load_tokenizer(kGolden + "bpe_merges.txt");
  CHECK(tokenizer->piece(0) == "!");
  CHECK(tokenizer->piece(256) == "!</w>");
  CHECK(tokenizer->piece(tokenizer->vocab_size() - 1) == "<|endoftext|>");
  CHECK(tokenizer->piece(188) == "<0x00>");  // the first of the bytes that are not printable
  CHECK_THROWS_AS(tokenizer->piece(tokenizer->vocab_size()), ValueError);
}

TEST_CASE("bpe: saved, gzipped and with other line ends it is the same tokenizer") {
  const ScratchFolder folder;
  const std::string content = read_all(kGolden + "bpe_merges.txt");
  const auto tokenizer = parse_bpe("a", content);
  tokenizer->save(folder / "tokenizer.model");
  CHECK(read_all(folder / "tokenizer.model") == content);
  CHECK(load_tokenizer(folder / "tokenizer.model")->kind() == "bpe");
  write_text_file(folder / "merges.gz", gzipped(content));
  std::string dos;
  for (const char letter : content) dos += letter == '\n' ? "\r\n" : std::string(1, letter);
  write_text_file(folder / "dos", dos);
  for (const char* name : {"merges.gz", "dos"}) {
    const auto other = load_tokenizer(folder / name);
    CHECK(other->vocab_size() == tokenizer->vocab_size());
    CHECK(other->encode("a photo of the dog's tail") == tokenizer->encode("a photo of the dog's tail"));
  }
}

TEST_CASE("bpe: malformed merges are refused in one line that names theirs") {
  const std::string head = "#version: 0.2\n";
  CHECK(refusal(head + "a b\na b\n") == "merges.txt: line 3 makes \"ab\" again; expected each piece once");
  CHECK(refusal(head + "< /\n</ w\n</w >\na </w>\n") ==
        "merges.txt: line 5 makes \"a</w>\" again; expected each piece once");
  CHECK(refusal(head + "ab c\n") ==
        "merges.txt: line 2: \"ab\" is no byte and made by no earlier line; expected one");
  CHECK(refusal(head + "a</w> b\n") ==
        "merges.txt: line 2: \"a</w>\" ends a word; expected it on the right alone");
  for (const char* line : {"a", "a b c", " a", "a ", "a  b", "", "a\tb"}) {
    CAPTURE(line);
    CHECK(refusal(head + line + "\nc d\n").starts_with("merges.txt: line 2 is \""));
  }
  CHECK(refusal(head + "\u0120 t\n").find("begins with a blank's byte, as GPT-2's do") != std::string::npos);
  CHECK(refusal("a b\n") == "merges.txt: line 1 has no \"#version:\"; expected a merges file of CLIP");
  CHECK(refusal("") != "");
  CHECK(refusal(head) == "");  // bytes alone are a tokenizer
  std::string binary = head;
  for (int i = 0; i < 256; ++i) binary += char(i);
  const std::string said = refusal(binary);
  CHECK(said != "");
  CHECK(said.find('\n') == std::string::npos);
  const ScratchFolder folder;
  write_text_file(folder / "merges.txt", "a b\n");
  CHECK_THROWS_AS(load_tokenizer(folder / "merges.txt"), FileError);
}

TEST_CASE("bpe: gzipped merges that are cut or damaged are refused, and a bomb is not unpacked") {
  const std::string packed = gzipped(read_all(kGolden + "bpe_merges.txt"));
  for (size_t bytes = 20; bytes < packed.size(); bytes += 97) {
    CAPTURE(bytes);
    CHECK(refusal(packed.substr(0, bytes)) != "");
  }
  std::string damaged = packed;
  damaged[packed.size() / 2] = char(damaged[packed.size() / 2] ^ 0x55);
  CHECK(refusal(damaged) != "");
  const std::string bomb = gzipped("#version: 0.2\n" + std::string(64 << 20, 'a'));
  CHECK(bomb.size() < (1 << 20));
  CHECK(gunzip_start("bomb", bomb, 1000).size() == 1000);
  CHECK(refusal(bomb).starts_with("merges.txt: line 2 is \"aaaa"));
}

TEST_CASE("bpe: the merges after CLIP's last one are not looked at") {
  // Chains of two bytes: enough different pieces without a large file.
  std::string text = "#version: 0.2\n";
  const std::vector<std::string> letters{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m",
                                         "n", "o", "p", "q", "r", "s", "t", "u", "v", "w", "x", "y", "z"};
  std::vector<std::string> pieces = letters;
  for (size_t from = 0; int64_t(pieces.size()) < kMostMerges + 1000; ++from)
    for (const std::string& letter : letters) {
      text += pieces[from] + " " + letter + "\n";
      pieces.push_back(pieces[from] + letter);
    }
  const auto tokenizer = parse_bpe("many", text + "this is no merge\n");
  CHECK(tokenizer->vocab_size() == 49408);
  CHECK(tokenizer->eos_id() == 49407);
}

TEST_CASE("bpe: a word of a million letters is cut as a short one") {
  // Work that grows with the square of the length would not end within the time a test has.
  const auto tokenizer = load_tokenizer(kGolden + "bpe_merges.txt");
  const size_t letters = 1000000;
  std::string word;
  for (const int32_t id : tokenizer->encode(std::string(letters, 'l'))) word += tokenizer->piece(id);
  CHECK(word == "<|startoftext|>" + std::string(letters, 'l') + "</w>");
}

TEST_CASE("bpe text: cleaned and cut as CLIP does") {
  CHECK(clean_for_bpe(" A  Dog&#39;s\n&amp;lt;TAIL&gt; \u2019\u201D ") == "a dog's <tail> '\"");
  CHECK(clean_for_bpe("&#xD800; &#0; &bogus; &") == "\uFFFD \uFFFD &bogus; &");
  CHECK(words_of("it's 42! '!'s they'll'tis") ==
        std::vector<std::string>{"it", "'s", "4", "2", "!", "'!'", "s", "they", "'ll", "'t", "is"});
  CHECK(words_of("\xFF\xC3 a") == std::vector<std::string>{"\xFF\xC3", "a"});
  CHECK(words_of("").empty());
}

TEST_CASE("unicode classes: letters, numbers, white space and small letters") {
  for (const char32_t letter : {U'a', U'\u00E9', U'\u0401', U'\u732B', U'\u0905', U'\U00020000'})
    CHECK(is_letter(letter));
  for (const char32_t number : {U'7', U'\u0663', U'\u00B2', U'\u2167'}) CHECK(is_number(number));
  for (const char32_t other : {U'!', U'\u0301', U'\u2764', U'\U0001F600', U' '}) {
    CHECK(!is_letter(other));
    CHECK(!is_number(other));
  }
  CHECK(to_lower(U'A') == U'a');
  CHECK(to_lower(U'\u0141') == U'\u0142');
  CHECK(to_lower(U'\u10A0') == U'\u2D00');
  CHECK(to_lower(U'\u0132') == U'\u0133');
  CHECK(to_lower(U'a') == U'a');
  CHECK(!is_letter(kNoCharacter));
  CHECK(first_character("\xED\xA0\x80").value == kNoCharacter);  // half of a pair
  CHECK(first_character("\xC0\x80").value == kNoCharacter);      // longer than need be
  CHECK(first_character("\xF0\x9F\x98\x80").value == 0x1F600);
}
