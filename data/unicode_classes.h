// What the Unicode Character Database (15.0) says of a character, as far as cutting text into words needs it.
//
//   is_letter, is_number   general category L*, N*
//   is_space               the property White_Space
//   to_lower               the simple lower-case mapping; other characters are themselves
//   is_cased               it has a small or a capital form; slow
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace limoe {

bool is_letter(char32_t c);
bool is_number(char32_t c);
char32_t to_lower(char32_t c);
bool is_cased(char32_t c);

inline bool is_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

// The character that non-empty UTF-8 text starts with, and how many bytes it takes. A byte that starts none
// is kNoCharacter, and takes one.
inline constexpr char32_t kNoCharacter = 0xFFFFFFFF;
struct Character {
  char32_t value;
  size_t bytes;
};

inline Character first_character(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(text[i])); };
  const char32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};  // shorter forms exist below
  if (lead < 0xC2 || lead > 0xF4 || text.size() < bytes) return {kNoCharacter, 1};
  char32_t value = lead & (0xFF >> (bytes + 1));
  for (size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {kNoCharacter, 1};
    value = value << 6 | (byte(i) & 0x3F);
  }
  const bool is_surrogate = value >= 0xD800 && value < 0xE000;
  return value < kLeast[bytes] || value > 0x10FFFF || is_surrogate ? Character{kNoCharacter, 1}
                                                                   : Character{value, bytes};
}

inline void append_utf8(std::string& text, char32_t c) {
  const auto put = [&](char32_t byte) { text += static_cast<char>(byte); };
  if (c < 0x80) return put(c);
  if (c < 0x800) {
    put(0xC0 | c >> 6);
  } else {
    if (c < 0x10000) {
      put(0xE0 | c >> 12);
    } else {
      put(0xF0 | c >> 18);
      put(0x80 | (c >> 12 & 0x3F));
    }
    put(0x80 | (c >> 6 & 0x3F));
  }
  put(0x80 | (c & 0x3F));
}

}  // namespace limoe
