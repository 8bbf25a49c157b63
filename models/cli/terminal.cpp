#include "models/cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace limoe {
namespace {

constexpr int kDefaultWidth = 100;
constexpr int kLeastWidth = 40;

int descriptor_of(Stream stream) {
  return stream == Stream::output ? STDOUT_FILENO : STDERR_FILENO;
}

bool draws_letters(Stream stream) {
  const char* no_color = std::getenv("NO_COLOR");
  const char* kind = std::getenv("TERM");
  return is_terminal(stream) && (!no_color || !*no_color) && (!kind || std::strcmp(kind, "dumb") != 0);
}

// One code point of valid UTF-8 at `position`, which moves behind it; a stray byte stands for itself.
char32_t next_code_point(const std::string& text, size_t& position) {
  const auto byte = [&](size_t at) { return uint8_t(text[at]); };
  const uint8_t lead = byte(position);
  const int length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  if (position + size_t(length) > text.size()) return byte(position++);
  char32_t point = length == 1 ? lead : lead & (0x7f >> length);
  for (int i = 1; i < length; ++i) point = point << 6 | (byte(position + size_t(i)) & 0x3f);
  position += size_t(length);
  return point;
}

int columns_of(char32_t point) {
  const auto within = [point](char32_t first, char32_t last) { return point >= first && point <= last; };
  const bool mark = within(0x300, 0x36f) || within(0x200b, 0x200f) || within(0xfe00, 0xfe0f);
  if (mark) return 0;
  const bool wide = within(0x1100, 0x115f) || within(0x2e80, 0xa4cf) || within(0xac00, 0xd7a3) ||
                    within(0xf900, 0xfaff) || within(0xff00, 0xff60) || within(0x1f300, 0x1faff);
  return wide ? 2 : 1;
}

}  // namespace

bool is_terminal(Stream stream) {
  return isatty(descriptor_of(stream)) == 1;
}

int terminal_width(Stream stream) {
  winsize size{};
  if (ioctl(descriptor_of(stream), TIOCGWINSZ, &size) == 0 && size.ws_col >= kLeastWidth) return size.ws_col;
  const char* columns = std::getenv("COLUMNS");
  const int told = columns ? std::atoi(columns) : 0;
  return told >= kLeastWidth ? told : kDefaultWidth;
}

std::string bold(const std::string& text, Stream stream) {
  return draws_letters(stream) ? "\x1b[1m" + text + "\x1b[0m" : text;
}

std::string dim(const std::string& text, Stream stream) {
  return draws_letters(stream) ? "\x1b[2m" + text + "\x1b[0m" : text;
}

int columns_of(const std::string& text) {
  int columns = 0;
  for (size_t position = 0; position < text.size();) columns += columns_of(next_code_point(text, position));
  return columns;
}

std::string shortened(const std::string& text, int columns) {
  if (columns_of(text) <= columns) return text;
  size_t position = 0, kept = 0;
  int used = 1;  // the sign for what was left out
  while (position < text.size()) {
    used += columns_of(next_code_point(text, position));
    if (used > columns) break;
    kept = position;
  }
  return text.substr(0, kept) + "…";
}

}  // namespace limoe
