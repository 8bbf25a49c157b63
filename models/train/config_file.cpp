#include "models/train/config_file.h"

#include <algorithm>
#include <cstdio>
#include <string_view>

#include "models/train/small_file.h"
#include "tensor/error.h"

namespace limoe {
namespace {

struct Escape {
  char letter, meaning;
};
constexpr Escape kEscapes[] = {{'"', '"'},  {'\\', '\\'}, {'b', '\b'}, {'f', '\f'},
                               {'n', '\n'}, {'r', '\r'},  {'t', '\t'}};

bool is_control(char letter) {
  return uint8_t(letter) < 0x20 || letter == 0x7f;
}

bool is_key_letter(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
         (letter >= '0' && letter <= '9') || letter == '-' || letter == '_';
}

// UTF-8, for the characters that four hexadecimal digits can name.
std::string utf8(unsigned code) {
  if (code < 0x80) return {char(code)};
  if (code < 0x800) return {char(0xc0 | code >> 6), char(0x80 | (code & 0x3f))};
  return {char(0xe0 | code >> 12), char(0x80 | (code >> 6 & 0x3f)), char(0x80 | (code & 0x3f))};
}

// One line, from its first letter to its last.
class Line {
 public:
  Line(const std::string& path, int64_t number, std::string_view text)
      : path_(path), number_(number), left_(text) {}

  // Gives back whether there is a key, with the value.
  bool read(std::string& key, std::string& value) {
    skip_blanks();
    if (at_end()) return false;
    if (left_[0] == '[') return read_heading(), false;
    key = take_while(is_key_letter);
    if (key.empty()) fail("begins with no key");
    skip_blanks();
    if (left_.empty() || left_[0] != '=') fail("has no = behind its key");
    left_.remove_prefix(1);
    skip_blanks();
    value = read_value();
    skip_blanks();
    if (!at_end()) fail("goes on behind its value");
    return true;
  }

 private:
  [[noreturn]] void fail(const char* what) const {
    throw FileError(path_, ": line ", number_, " ", what, "; expected key = value");
  }

  bool at_end() const { return left_.empty() || left_[0] == '#'; }
  void skip_blanks() { left_.remove_prefix(std::min(left_.find_first_not_of(" \t"), left_.size())); }
  template <class Fits>
  std::string take_while(Fits fits) {
    const auto end = std::find_if_not(left_.begin(), left_.end(), fits);
    const std::string taken(left_.begin(), end);
    left_.remove_prefix(taken.size());
    return taken;
  }

  void read_heading() {
    left_.remove_prefix(1);
    const auto is_name = [](char letter) { return is_key_letter(letter) || letter == ' ' || letter == '.'; };
    const std::string name = take_while(is_name);
    if (name.empty() || left_.empty() || left_[0] != ']') fail("is no heading in [ ]");
    left_.remove_prefix(1);
    skip_blanks();
    if (!at_end()) fail("goes on behind its heading");
  }

  std::string read_value() {
    if (at_end()) fail("has no value");
    if (left_[0] == '"') return read_quoted();
    if (left_[0] == '\'') return read_literal();
    if (left_[0] == '[' || left_[0] == '{') fail("has a list or table as its value");
    const std::string word =
        take_while([](char letter) { return letter != ' ' && letter != '\t' && letter != '#'; });
    if (std::any_of(word.begin(), word.end(), is_control)) fail("holds a control character");
    return word;
  }

  std::string read_literal() {
    const size_t end = left_.find('\'', 1);
    if (end == std::string_view::npos) fail("has a text without its second '");
    const std::string text(left_.substr(1, end - 1));
    left_.remove_prefix(end + 1);
    return text;
  }

  std::string read_quoted() {
    std::string text;
    for (left_.remove_prefix(1); !left_.empty() && left_[0] != '"';) {
      const char letter = left_[0];
      left_.remove_prefix(1);
      text += letter == '\\' ? read_escape() : std::string(1, letter);
    }
    if (left_.empty()) fail("has a text without its second \"");
    left_.remove_prefix(1);
    return text;
  }

  std::string read_escape() {
    const char letter = left_.empty() ? '\0' : left_[0];
    left_.remove_prefix(std::min<size_t>(1, left_.size()));
    for (const Escape& escape : kEscapes)
      if (escape.letter == letter) return {escape.meaning};
    if (letter != 'u') fail("has an unknown escape behind a backslash");
    unsigned code = 0;
    for (int digit = 0; digit < 4; ++digit) {
      const size_t value =
          left_.empty() ? std::string_view::npos : std::string_view("0123456789abcdefABCDEF").find(left_[0]);
      if (value == std::string_view::npos) fail("has a \\u without four hexadecimal digits");
      code = code * 16 + unsigned(value < 16 ? value : value - 6);
      left_.remove_prefix(1);
    }
    if (code == 0 || (code >= 0xd800 && code < 0xe000)) fail("has a \\u that is no character");
    return utf8(code);
  }

  const std::string& path_;
  const int64_t number_;
  std::string_view left_;
};

}  // namespace

KeyedValues read_config_file(const std::string& path) {
  const std::string text = read_small_file(path, "a config file");
  KeyedValues values;
  int64_t number = 0;
  for (std::string_view left = text; !left.empty();) {
    const size_t end = std::min(left.find('\n'), left.size());
    std::string_view line = left.substr(0, end);
    left.remove_prefix(std::min(end + 1, left.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    std::string key, value;
    if (!Line(path, ++number, line).read(key, value)) continue;
    const std::string origin = path + ": " + key;
    if (!values.try_emplace(key, KeyedText{value, origin}).second)
      throw FileError(origin, " is given twice; expected once");
  }
  return values;
}

std::string quoted_text(const std::string& text) {
  std::string quoted = "\"";
  for (const char letter : text) {
    const auto escape = std::find_if(std::begin(kEscapes), std::end(kEscapes),
                                     [&](const Escape& one) { return one.meaning == letter; });
    char code[8];
    std::snprintf(code, sizeof code, "\\u%04x", unsigned(uint8_t(letter)));
    if (escape != std::end(kEscapes))
      quoted += {'\\', escape->letter};
    else
      quoted += is_control(letter) ? code : std::string(1, letter);
  }
  return quoted + '"';
}

}  // namespace limoe
