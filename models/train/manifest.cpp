#include "models/train/manifest.h"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tensor/atomic_file.h"
#include "tensor/error.h"

namespace limoe {
namespace {

using nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr const char* kFormat = "limoe checkpoint";
constexpr int64_t kVersion = 1;
constexpr size_t kReadBytes = 1 << 20;

std::string checksum_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw FileError(path, ": cannot be opened");
  std::vector<char> bytes(kReadBytes);
  uLong sum = crc32(0, nullptr, 0);
  while (file.read(bytes.data(), std::streamsize(bytes.size())), file.gcount() > 0)
    sum = crc32(sum, reinterpret_cast<const Bytef*>(bytes.data()), uInt(file.gcount()));
  if (file.bad()) throw FileError(path, ": cannot be read");
  char text[9];
  std::snprintf(text, sizeof text, "%08lx", sum);
  return text;
}

ordered_json read_manifest(const std::string& folder) {
  const std::string path = (fs::path(folder) / kManifestFile).string();
  std::ifstream file(path);
  if (!file) throw FileError(path, ": cannot be opened; expected the list of the checkpoint's files");
  const ordered_json manifest = ordered_json::parse(file, nullptr, false);
  const auto entry = [&](const char* key) {
    return manifest.is_object() && manifest.contains(key) ? manifest[key] : ordered_json();
  };
  if (entry("format") != kFormat || !entry("files").is_object())
    throw FileError(path, ": is damaged; expected the list of the checkpoint's files");
  if (entry("version") != kVersion)
    throw FileError(path, ": version is ", entry("version").dump(), "; expected ", kVersion);
  return entry("files");
}

void verify_file(const std::string& folder, const std::string& name, const ordered_json& entry) {
  if (name.empty() || name.find('/') != std::string::npos || name == "." || name == "..")
    throw FileError(folder, "/", kManifestFile, ": names \"", name, "\"; expected plain file names");
  if (!entry.is_object() || !entry.contains("bytes") || !entry["bytes"].is_number_unsigned() ||
      !entry.contains("crc32") || !entry["crc32"].is_string())
    throw FileError(folder, "/", kManifestFile, ": is damaged at \"", name, "\"");
  const std::string path = (fs::path(folder) / name).string();
  std::error_code error;
  const uintmax_t found = fs::file_size(path, error);
  if (error) throw FileError(path, ": is missing; expected a file of ", entry["bytes"].dump(), " bytes");
  if (found != entry["bytes"].get<uintmax_t>())
    throw FileError(path, ": has ", found, " bytes; expected ", entry["bytes"].dump());
  if (const std::string sum = checksum_of(path); sum != entry["crc32"].get<std::string>())
    throw FileError(path, ": its checksum is ", sum, "; expected ", entry["crc32"].get<std::string>(),
                    ": the file was changed or damaged");
}

}  // namespace

void flush_to_disk(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) throw FileError(path, ": cannot be opened: ", std::strerror(errno));
  const bool flushed = fsync(descriptor) == 0 || errno == EINVAL;  // some file systems cannot flush folders
  const int reason = errno;
  close(descriptor);
  if (!flushed) throw FileError(path, ": cannot be flushed to the disk: ", std::strerror(reason));
}

void write_manifest(const std::string& folder, const std::vector<std::string>& files) {
  ordered_json entries;
  for (const std::string& name : files) {
    const std::string path = (fs::path(folder) / name).string();
    flush_to_disk(path);
    entries[name] = {{"bytes", fs::file_size(path)}, {"crc32", checksum_of(path)}};
  }
  const std::string text =
      ordered_json{{"format", kFormat}, {"version", kVersion}, {"files", entries}}.dump(1) + "\n";
  AtomicFile file((fs::path(folder) / kManifestFile).string());
  file.write(text.data(), text.size());
  file.commit();
}

void verify_manifest(const std::string& folder, const std::vector<std::string>& needed) {
  const ordered_json files = read_manifest(folder);
  for (const std::string& name : needed)
    if (!files.contains(name))
      throw FileError(folder, "/", kManifestFile, ": does not list ", name, "; expected it among the files");
  for (const auto& [name, entry] : files.items()) verify_file(folder, name, entry);
}

}  // namespace limoe
