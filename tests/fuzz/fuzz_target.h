// What every fuzz target holds its parser to:
//
//   - it returns, or throws one of our Errors; anything else that is thrown ends the program, a finding
//   - the message of an Error is one line of at most kLongestMessage bytes without control characters
//   - at no time more than kMostMemory is allocated on top of what was there before
//
// The input of a target is at most kLargestInput bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "tensor/error.h"
#include "tests/support/memory_watch.h"

namespace limoe::fuzzing {

constexpr size_t kLargestInput = 1'000'000;
constexpr int64_t kMostMemory = int64_t{64} << 20;
constexpr size_t kLongestMessage = 4096;

void expect_one_line(std::string_view message);  // ends the program otherwise
void expect(bool holds, const char* what);       // the same
void expect_little_memory(int64_t peak);         // the same

// Runs `parse` and expects the above of it.
template <class Parse>
void expect_parsed_or_refused(const Parse& parse) {
  const testing::MemoryWatch watch;
  try {
    parse();
  } catch (const Error& error) {
    expect_one_line(error.what());
  }
  expect_little_memory(watch.peak());
}

// Files for a parser that takes a path, in $SCRATCH, which run.sh puts into memory. The folder goes when the
// program ends well.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  const std::string& path() const { return path_; }
  std::string write(const std::string& name, std::span<const uint8_t> bytes) const;  // gives back its path

 private:
  std::string path_;
};

inline std::string text_of(std::span<const uint8_t> bytes) {
  return {bytes.begin(), bytes.end()};
}

// Whether an input may take as much as those of users do. One in about four thousand may, told by a hash of
// all its bytes (FNV-1a): what a fuzzer makes of a large one is then as rarely large as any other.
inline bool may_be_large(std::span<const uint8_t> input) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const uint8_t byte : input) hash = (hash ^ byte) * 0x100000001b3;
  return (hash >> 20) % 4096 == 0;
}

// The first byte of an input chooses how the rest is taken.
struct Input {
  Input(const uint8_t* data, size_t size) : mode(size > 0 ? data[0] : 0), rest(data, size) {
    if (size > 0) rest = rest.subspan(1);
  }
  bool has(int bit) const { return mode >> bit & 1; }
  uint8_t mode;
  std::span<const uint8_t> rest;
};

}  // namespace limoe::fuzzing
