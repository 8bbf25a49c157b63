#include "tests/fuzz/fuzz_target.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace limoe::fuzzing {
namespace {

[[noreturn]] void give_up(const char* what, std::string_view text) {
  std::fprintf(stderr, "FINDING: %s: %.*s\n", what, static_cast<int>(text.size()), text.data());
  std::abort();
}

}  // namespace

void expect_little_memory(int64_t peak) {
  if (peak > kMostMemory) give_up("bytes of memory", std::to_string(peak));
}

void expect(bool holds, const char* what) {
  if (!holds) give_up("expected", what);
}

void expect_one_line(std::string_view message) {
  if (message.empty()) give_up("an empty message", "");
  if (message.size() > kLongestMessage) give_up("a long message", message);
  for (const char letter : message)
    if (static_cast<uint8_t>(letter) < 0x20 || letter == 0x7f)
      give_up("a message with control characters", message);
}

ScratchFolder::ScratchFolder() {
  const char* const given = std::getenv("SCRATCH");
  path_ = (given != nullptr ? std::string(given) : std::filesystem::temp_directory_path().string()) +
          "/limoe-fuzz-" + std::to_string(getpid());
  std::filesystem::remove_all(path_);
  std::filesystem::create_directories(path_);
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;  // nothing depends on it
  std::filesystem::remove_all(path_, ignored);
}

std::string ScratchFolder::write(const std::string& name, std::span<const uint8_t> bytes) const {
  std::string path = path_ + "/" + name;
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) give_up("a scratch file cannot be written", path);
  return path;
}

}  // namespace limoe::fuzzing
