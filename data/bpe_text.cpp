#include "data/bpe_text.h"

#include <array>
#include <cstdint>
#include <utility>

#include "data/unicode_classes.h"

namespace limoe {
namespace {

constexpr std::array<std::pair<std::string_view, char32_t>, 6> kNames{
    {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}, {"nbsp", 0xA0}}};
constexpr std::array<std::string_view, 7> kEndings{"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"};
constexpr char32_t kReplacement = 0xFFFD, kNothing = 0;
constexpr char32_t kWindows1252[32] = {0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                       0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D,   0x017D, 0x8F,
                                       0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                       0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};
constexpr char32_t kCapitalSigma = 0x3A3, kSigma = 0x3C3, kFinalSigma = 0x3C2;
constexpr char32_t kCapitalDottedI = 0x130, kDotAbove = 0x307;

// What "&...;" at the start of a text stands for; no bytes where it stands for itself.
struct Escape {
  char32_t value = 0;
  size_t bytes = 0;
};

int digit_of(char letter, int base) {
  if (letter >= '0' && letter <= '9') return letter - '0';
  const char small = static_cast<char>(letter | 0x20);
  return base == 16 && small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

bool is_control(char32_t c) {
  return (c < 0x20 && !is_space(c)) || c == 0x0B || c == 0x7F || c == 0xFEFF;
}

// As browsers do: numbers of the C1 controls mean Windows-1252, other controls nothing.
char32_t numbered_character(char32_t number) {
  if (number == 0 || number > 0x10FFFF || (number >= 0xD800 && number < 0xE000)) return kReplacement;
  if (number >= 0x80 && number < 0xA0) return kWindows1252[number - 0x80];
  return is_control(number) ? kNothing : number;
}

Escape numbered_escape(std::string_view text) {  // starts with "&#"
  size_t at = 2;
  const bool hexadecimal = text.size() > at && (text[at] | 0x20) == 'x';
  if (hexadecimal) ++at;
  const int base = hexadecimal ? 16 : 10;
  const size_t first = at;
  char32_t value = 0;
  for (; at < text.size() && digit_of(text[at], base) >= 0; ++at)
    if (value <= 0x10FFFF) value = value * char32_t(base) + char32_t(digit_of(text[at], base));
  if (at == first) return {};
  if (at < text.size() && text[at] == ';') ++at;
  return {numbered_character(value), at};
}

Escape escape_at(std::string_view text) {
  if (text.substr(0, 2) == "&#") return numbered_escape(text);
  for (const auto& [name, value] : kNames) {
    if (text.substr(1, name.size()) != name) continue;
    const size_t end = 1 + name.size();
    if (end < text.size() && text[end] == ';') return {value, end + 1};
    if (name != "apos") return {value, end};  // a younger name, which needs its semicolon
  }
  return {};
}

std::string without_escapes(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Escape escape = text[0] == '&' ? escape_at(text) : Escape{};
    if (escape.bytes == 0)
      out += text[0];
    else if (escape.value != kNothing)
      append_utf8(out, escape.value);
    text.remove_prefix(escape.bytes > 0 ? escape.bytes : 1);
  }
  return out;
}

char32_t straight_quote(char32_t c) {
  if ((c >= 0x2018 && c <= 0x201B) || c == 0x2BC) return '\'';
  return c >= 0x201C && c <= 0x201F ? U'"' : c;
}

std::string without_controls(std::string_view text) {
  std::string out;
  for (; !text.empty(); text.remove_prefix(first_character(text).bytes)) {
    const Character c = first_character(text);
    if (c.value == kNoCharacter)
      out += text[0];
    else if (!is_control(c.value))
      append_utf8(out, straight_quote(c.value));
  }
  return out;
}

// What may stand inside a word without ending it: a choice of Unicode's Case_Ignorable.
bool joins_letters(char32_t c) {
  return c == '\'' || c == '.' || c == ':' || c == 0xB7 || (c >= 0x300 && c <= 0x36F) ||
         (c >= 0x200B && c <= 0x200F) || (c >= 0xFE00 && c <= 0xFE0F);
}

bool letters_follow(std::string_view text) {
  while (!text.empty() && joins_letters(first_character(text).value))
    text.remove_prefix(first_character(text).bytes);
  return !text.empty() && is_cased(first_character(text).value);
}

// Lower case, character by character; Greek writes a small sigma that ends a word in another way.
class Lowering {
 public:
  // `rest` is the text after the character.
  void append(std::string& out, char32_t c, std::string_view rest) {
    if (c == kCapitalSigma)
      append_utf8(out, is_cased(before_) && !letters_follow(rest) ? kFinalSigma : kSigma);
    else
      append_utf8(out, to_lower(c));
    if (c == kCapitalDottedI) append_utf8(out, kDotAbove);
    if (!joins_letters(c)) before_ = c;
  }
  void skip() { before_ = ' '; }

 private:
  char32_t before_ = ' ';  // the last character that does not just join letters
};

// One blank for every run of white space, none at the ends; lower case.
std::string lowered_words(std::string_view text) {
  std::string out;
  Lowering lowering;
  bool blank = false;
  while (!text.empty()) {
    const Character c = first_character(text);
    const std::string_view bytes = text.substr(0, c.bytes);
    text.remove_prefix(c.bytes);
    if (is_space(c.value)) {
      blank = !out.empty();
      lowering.skip();
      continue;
    }
    if (blank) out += ' ';
    blank = false;
    if (c.value == kNoCharacter)
      out += bytes;
    else
      lowering.append(out, c.value, text);
  }
  return out;
}

enum class Kind { space, letter, number, other };

Kind kind_of(char32_t c) {
  if (is_space(c)) return Kind::space;
  if (is_letter(c)) return Kind::letter;
  return is_number(c) ? Kind::number : Kind::other;
}

size_t ending_at(std::string_view text) {
  for (const std::string_view ending : kEndings)
    if (text.substr(0, ending.size()) == ending) return ending.size();
  return 0;
}

// Bytes of the word that the text starts with, which is of that kind.
size_t word_at(std::string_view text, Kind kind) {
  if (const size_t ending = ending_at(text); ending > 0) return ending;
  size_t bytes = first_character(text).bytes;
  if (kind == Kind::number) return bytes;
  while (bytes < text.size() && kind_of(first_character(text.substr(bytes)).value) == kind)
    bytes += first_character(text.substr(bytes)).bytes;
  return bytes;
}

}  // namespace

std::string clean_for_bpe(std::string_view text) {
  // Where no tag can be meant, escapes go first, so that quotes among them are made straight as well.
  const bool has_tags = text.find('<') != std::string_view::npos;
  const std::string straight = without_controls(has_tags ? std::string(text) : without_escapes(text));
  return lowered_words(without_escapes(without_escapes(straight)));
}

std::vector<std::string_view> split_for_bpe(std::string_view cleaned) {
  std::vector<std::string_view> words;
  while (!cleaned.empty()) {
    const Character c = first_character(cleaned);
    const Kind kind = kind_of(c.value);
    const size_t bytes = kind == Kind::space ? c.bytes : word_at(cleaned, kind);
    if (kind != Kind::space) words.push_back(cleaned.substr(0, bytes));
    cleaned.remove_prefix(bytes);
  }
  return words;
}

}  // namespace limoe
