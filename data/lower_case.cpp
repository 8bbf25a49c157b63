#include "data/lower_case.h"

#include <cstddef>
#include <cstdint>

namespace limoe {
namespace {

struct CodePoint {
  char32_t value;
  std::size_t bytes;  // 0 when the text does not start with a valid two- or three-byte sequence
};

bool is_continuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

// Only two- and three-byte sequences are read: no capital letter handled here lies elsewhere.
CodePoint decode(std::string_view text) {
  const auto bits = [&](std::size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(text[i])); };
  const char32_t lead = bits(0);
  if (lead >= 0xC2 && lead < 0xE0 && text.size() >= 2 && is_continuation(text[1]))
    return {(lead & 0x1F) << 6 | (bits(1) & 0x3F), 2};
  if (lead >= 0xE0 && lead < 0xF0 && text.size() >= 3 && is_continuation(text[1]) && is_continuation(text[2]))
    return {(lead & 0x0F) << 12 | (bits(1) & 0x3F) << 6 | (bits(2) & 0x3F), 3};
  return {0, 0};
}

void append(std::string& text, char32_t c) {
  if (c < 0x80) {
    text += static_cast<char>(c);
  } else if (c < 0x800) {
    text += static_cast<char>(0xC0 | c >> 6);
    text += static_cast<char>(0x80 | (c & 0x3F));
  } else {
    text += static_cast<char>(0xE0 | c >> 12);
    text += static_cast<char>(0x80 | (c >> 6 & 0x3F));
    text += static_cast<char>(0x80 | (c & 0x3F));
  }
}

bool between(char32_t c, char32_t first, char32_t last) {
  return c >= first && c <= last;
}

char32_t lower_latin(char32_t c) {
  if (between(c, 0xC0, 0xDE) && c != 0xD7) return c + 32;
  if (c == 0x130) return 'i';   // Turkish capital I with a dot
  if (c == 0x178) return 0xFF;  // y with diaeresis has its small form in Latin-1
  if (c == 0x1E9E) return 0xDF;
  if (between(c, 0x139, 0x148) || between(c, 0x179, 0x17E)) return c + (c & 1);  // capitals are odd here
  const bool capitals_are_even = between(c, 0x100, 0x12F) || between(c, 0x132, 0x137) ||
                                 between(c, 0x14A, 0x177) || between(c, 0x1E00, 0x1E95) ||
                                 between(c, 0x1EA0, 0x1EFF);
  return capitals_are_even ? c | 1 : c;
}

char32_t lower_greek(char32_t c) {
  if (between(c, 0x391, 0x3AB) && c != 0x3A2) return c + 32;
  if (c == 0x386) return 0x3AC;
  if (between(c, 0x388, 0x38A)) return c + 37;
  if (c == 0x38C) return 0x3CC;
  if (between(c, 0x38E, 0x38F)) return c + 63;
  return c;
}

char32_t lower_cyrillic(char32_t c) {
  if (between(c, 0x410, 0x42F)) return c + 32;
  if (between(c, 0x400, 0x40F)) return c + 80;
  if (c == 0x4C0) return 0x4CF;
  if (between(c, 0x4C1, 0x4CE)) return c + (c & 1);
  const bool capitals_are_even =
      between(c, 0x460, 0x481) || between(c, 0x48A, 0x4BF) || between(c, 0x4D0, 0x52F);
  return capitals_are_even ? c | 1 : c;
}

char32_t lower(char32_t c) {
  if (c < 0x370 || between(c, 0x1E00, 0x1EFF)) return lower_latin(c);
  if (c < 0x400) return lower_greek(c);
  if (c < 0x530) return lower_cyrillic(c);
  return between(c, 0x531, 0x556) ? c + 48 : c;  // Armenian
}

}  // namespace

std::string lower_case(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const char first = text.front();
    if (static_cast<unsigned char>(first) < 0x80) {
      result += first >= 'A' && first <= 'Z' ? static_cast<char>(first + 32) : first;
      text.remove_prefix(1);
    } else if (const CodePoint c = decode(text); c.bytes != 0) {
      const char32_t small = lower(c.value);
      if (small == c.value)
        result.append(text.substr(0, c.bytes));
      else
        append(result, small);
      text.remove_prefix(c.bytes);
    } else {
      result += first;
      text.remove_prefix(1);
    }
  }
  return result;
}

}  // namespace limoe
