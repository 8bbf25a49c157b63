// Which SentencePiece models the check lets through, and which damaged ones never reach the library.
#include "data/sentencepiece_check.h"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>

#include "data/sentencepiece_charsmap.h"
#include "data/tokenizer.h"
#include "data/tokenizer_file.h"
#include "tests/support/refusal.h"
#include "tests/support/scratch_folder.h"

using namespace limoe;
using namespace limoe::testing;

namespace {

std::string varint(uint64_t number) {
  std::string text;
  for (; number >= 0x80; number >>= 7) text += static_cast<char>(number | 0x80);
  return text + static_cast<char>(number);
}

std::string field(int number, const std::string& bytes) {
  return varint(uint64_t(number) << 3 | 2) + varint(bytes.size()) + bytes;
}

std::string field(int number, uint64_t value) {
  return varint(uint64_t(number) << 3) + varint(value);
}

std::string piece(const std::string& text, int type = 1) {
  return field(1, field(1, text) + field(3, uint64_t(type)));
}

const std::string kBase = piece("<unk>", 2) + piece("</s>", 3) + piece("a") + field(2, field(42, 1));

constexpr uint32_t kNoUnit = 0x80000000u;  // has no label: no byte leads there

// One state over 256 units, whose byte 'a' leads to a second one, where a string
// ends, with the value 0.
struct Charsmap {
  std::vector<uint32_t> units = std::vector<uint32_t>(1024, kNoUnit);
  std::string replacements = std::string("b\0", 2);

  Charsmap() {
    units[0] = 0x100 << 10;                                    // the root's state: 0x100
    units[0x100 ^ 'a'] = (0x161 ^ 0x200) << 10 | 0x100 | 'a';  // to state 0x200, and a string ends
  }
  std::string bytes() const {
    std::string text = little_endian(units.size() * 4, 4);
    for (const uint32_t unit : units) text += little_endian(unit, 4);
    return text + replacements;
  }
};

std::string refusal(const std::string& model) {
  return refusal_of("evil", [&] {
    const auto tokenizer = parse_sentencepiece("evil", model);
    for (const char* text : {"a", "aaaa b", "\xff", ""}) tokenizer->encode(text);
  });
}

std::string fault(const Charsmap& map) {
  return std::string(charsmap_fault(map.bytes()));
}

}  // namespace

TEST_CASE("a SentencePiece model that was trained or made by hand passes the check, without its self-tests") {
  CHECK(checked_sentencepiece("x", kBase + field(4, "anything")) == kBase);
  if (!sentencepiece_is_built_in()) return;
  CHECK(refusal(kBase).empty());
  CHECK(refusal(kBase + field(3, field(2, Charsmap().bytes()))).empty());
  // The whole table of Unicode's compatibility forms
  const auto trained =
      train_sentencepiece({"a red heart", "Ｆｕｌｌ width", "ﬁ, ½ and ㎏"}, {.vocab_size = 40});
  const ScratchFolder folder;
  trained->save(folder / "model");
  std::ifstream file(folder / "model", std::ios::binary);
  const std::string model{std::istreambuf_iterator<char>(file), {}};
  CHECK(checked_sentencepiece("x", model).size() <= model.size());
  CHECK(load_tokenizer(folder / "model")->encode("ﬁ ½") == trained->encode("fi 1⁄2"));
}

TEST_CASE("a charsmap that leads outside of its tables is refused") {
  CHECK(fault({}) == "");
  Charsmap map;
  map.units[0] = 0x3ff00 << 10;
  CHECK(fault(map) == "leads outside of its trie");
  map = {};
  map.units[0x100 ^ 'a'] = (0x161 ^ 0xfffff) << 10 | 0x100 | 'a';
  CHECK(fault(map) == "leads outside of its trie");
  map = {};
  map.units[0x200] |= 2;
  CHECK(fault(map) == "has a value without a replacement");
  map = {};
  map.replacements = "b";
  CHECK(fault(map) == "has replacements without an end");
  map.replacements = "";
  CHECK(fault(map) == "has replacements without an end");
  map = {};
  map.units[0x100 ^ 'b'] = uint32_t(0x100 ^ 'b' ^ 0x100) << 10 | 'b';  // from the root to the root
  CHECK(fault(map) == "goes round in its trie");
  map = {};
  map.units.resize(0x180);
  CHECK(fault(map) == "leads outside of its trie");
  CHECK(charsmap_fault("") == "has no length");
  CHECK(charsmap_fault(little_endian(7, 4) + "1234567" + std::string(1, '\0')) ==
        "has a trie of another length");
  CHECK(charsmap_fault(little_endian(0xffffffff, 4) + std::string(8, '\0')) ==
        "has a trie of another length");
  CHECK(charsmap_fault(little_endian(0, 4) + std::string(1, '\0')) == "has no trie");
}

TEST_CASE("strings of a charsmap that lie inside one another are at most 32, and 256 bytes long") {
  const auto chain = [](int length, bool every_one_ends) {
    Charsmap map;
    map.units.assign(size_t(0x100) * size_t(length + 3), kNoUnit);
    map.units[0] = 0x100 << 10;
    for (int i = 0; i < length; ++i) {
      const uint32_t here = uint32_t(0x100 * (i + 1)), next = here + 0x100, at = here ^ 'a';
      map.units[at] = (at ^ next) << 10 | (every_one_ends || i + 1 == length ? 0x100 : 0) | 'a';
    }
    return fault(map);
  };
  CHECK(chain(32, true) == "");
  CHECK(chain(33, true) == "has more than 32 strings inside one another");
  CHECK(chain(200, false) == "");
  CHECK(chain(300, false) == "has a string of more than 256 bytes");
}

TEST_CASE("malformed SentencePiece models: one line, little memory") {
  if (!sentencepiece_is_built_in()) return;
  const std::string huge = varint(1u << 31);
  std::string nested, many = kBase, empty;
  for (int i = 1; i <= 70; ++i) nested += piece(std::string(size_t(i), 'x'), 4);
  for (int i = 0; many.size() < 900'000; ++i) many += piece(std::to_string(i));
  while (empty.size() < 900'000) empty += field(1, "");
  Charsmap outside;
  outside.units[0] = 0x3ff00 << 10;
  for (const std::string& model :
       std::vector<std::string>{"\x0a",
                                "\x0a" + huge,
                                "\x0a" + huge + "x",
                                std::string(20, '\xff'),
                                "\x0b\x0c",
                                "\x02\x01x",
                                kBase + "\x0a\x05",
                                field(1, "\x0a\x7f"),
                                kBase + piece(""),
                                kBase + piece("a"),
                                kBase + piece("\xff"),
                                kBase + piece(std::string("x\0y", 3)),
                                kBase + piece("<0x41>", 6),
                                kBase + piece("<unk2>", 2),
                                piece("<unk>", 2) + piece("a"),
                                piece("a"),
                                field(2, field(42, 1)),
                                kBase + nested,
                                empty,
                                kBase + field(1, field(1, "n") + "\x15" + little_endian(0x7fc00000, 4)),
                                kBase + field(3, field(2, outside.bytes())),
                                kBase + field(5, field(2, outside.bytes())),
                                kBase + field(3, field(2, "\xff\xff")),
                                std::string(900'000, '\0'),
                                std::string(900'000, '\x0b'),
                                kBase + field(3, std::string(900'000, '\x12'))})
    CHECK(!refusal(model).empty());
  CHECK(refusal(many).empty());
  CHECK(refusal(kBase + field(4, field(1, field(1, std::string(800'000, 'a'))))).empty());  // a self-test
}
