// What a parser says to a malformed file, and what it took to find out.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "tensor/error.h"
#include "tests/support/memory_watch.h"

namespace limoe::testing {

constexpr int64_t kMostMemory = 64 << 20;  // for a file below 1 MB

inline bool is_one_line(const std::string& text) {
  return !text.empty() && std::none_of(text.begin(), text.end(), [](char letter) {
    return static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f;
  });
}

// The message, held to its form: one line that names `file` and says what was expected; "" where there
// was none. Whatever is thrown besides an Error fails the test case.
template <class Parse>
std::string refusal_of(const std::string& file, const Parse& parse) {
  std::string message;
  int64_t peak = 0;
  {
    const MemoryWatch watch;
    try {
      parse();
    } catch (const Error& error) {
      message = error.what();
    }
    peak = watch.peak();
  }
  CAPTURE(message);
  CHECK(peak <= kMostMemory);
  if (message.empty()) return "";
  CHECK(is_one_line(message));
  CHECK(message.size() < 2100);
  CHECK(message.find(file) != std::string::npos);
  const bool names_another = message.find("nearest") != std::string::npos;  // of a key that is unknown
  CHECK((names_another || message.find("expected") != std::string::npos));
  return message;
}

inline std::string write_file(const std::string& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << bytes;
  return path;
}

inline std::string repeated(const std::string& text, size_t bytes) {
  std::string all;
  while (all.size() < bytes) all += text;
  return all;
}

// A whole number as bytes, the least first.
inline std::string little_endian(uint64_t number, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(number >> (8 * i));
  return text;
}

}  // namespace limoe::testing
