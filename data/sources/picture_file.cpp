#include "data/sources/picture_file.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>

#include "data/lower_case.h"
#include "data/sources/sample_source.h"
#include "tensor/error.h"

namespace limoe {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kEndings[] = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif"};

}  // namespace

bool has_picture_ending(const std::string& name) {
  const std::string ending = lower_case(fs::path(name).extension().string());
  return std::find(std::begin(kEndings), std::end(kEndings), ending) != std::end(kEndings);
}

std::vector<uint8_t> read_picture_file(const std::string& path, const std::string& origin) {
  std::error_code error;
  if (!fs::is_regular_file(fs::status(path, error)))
    throw FileError(path, ": ", error || !fs::exists(path, error) ? "no such file" : "not a regular file",
                    "; expected a picture (", origin, ")");
  const std::uintmax_t size = fs::file_size(path, error);
  if (error || size > static_cast<std::uintmax_t>(kMaxImageBytes))
    throw FileError(path, ": holds ", size, " bytes; expected at most ", kMaxImageBytes, " (", origin, ")");
  std::ifstream file(path, std::ios::binary);
  std::vector<uint8_t> bytes(static_cast<std::size_t>(size));
  if (!file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size)))
    throw FileError(path, ": cannot be read (", origin, ")");
  return bytes;
}

}  // namespace limoe
