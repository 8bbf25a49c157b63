#include "models/train/manifest.h"

#include <zlib.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "models/train/small_file.h"
#include "tensor/atomic_file.h"
#include "tensor/error.h"

namespace limoe {
namespace {

using nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr const char* kFormat = "limoe checkpoint";
constexpr int64_t kVersion = 1;
constexpr uintmax_t kReadBytes = 1 << 20;

std::string checksum_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw FileError(path, ": cannot be opened");
  std::error_code unknown;  // then reading will tell
  std::vector<char> bytes(std::clamp<uintmax_t>(fs::file_size(path, unknown), 1, kReadBytes));
  uLong sum = crc32(0, nullptr, 0);
  while (file.read(bytes.data(), std::streamsize(bytes.size())), file.gcount() > 0)
    sum = crc32(sum, reinterpret_cast<const Bytef*>(bytes.data()), uInt(file.gcount()));
  if (file.bad()) throw FileError(path, ": cannot be read");
  char text[9];
  std::snprintf(text, sizeof text, "%08lx", sum);
  return text;
}

// A text from the file, as JSON shows it, short enough for a message.
std::string shown(const std::string& text) {
  constexpr size_t kLongest = 60;
  const std::string cut = text.size() <= kLongest ? text : text.substr(0, kLongest) + "...";
  return nlohmann::json(cut).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

std::string text_of_manifest(const ordered_json& manifest) {
  return manifest.dump(1, ' ', true) + "\n";
}

ordered_json read_manifest(const std::string& folder) {
  const std::string path = (fs::path(folder) / kManifestFile).string();
  const std::string text = read_small_file(path, "the list of the checkpoint's files");
  const ordered_json manifest = ordered_json::parse(text, nullptr, false);
  const auto entry = [&](const char* key) {
    return manifest.is_object() && manifest.contains(key) ? manifest[key] : ordered_json();
  };
  if (entry("format") != kFormat || !entry("files").is_object())
    throw FileError(path, ": is damaged; expected the list of the checkpoint's files");
  if (entry("version") != kVersion)
    throw FileError(path, ": version is ", entry("version").dump(), "; expected ", kVersion);
  if (text_of_manifest(manifest) != text)
    throw FileError(path, ": is not as it was written; expected the list of the checkpoint's files");
  return entry("files");
}

void verify_file(const std::string& folder, const std::string& name, const ordered_json& entry) {
  const std::string manifest = (fs::path(folder) / kManifestFile).string();
  if (name.empty() || name.find_first_of(std::string("/\0", 2)) != std::string::npos || name == "." ||
      name == "..")
    throw FileError(manifest, ": names ", shown(name), "; expected plain file names");
  if (!entry.is_object() || !entry.contains("bytes") || !entry["bytes"].is_number_unsigned() ||
      !entry.contains("crc32") || !entry["crc32"].is_string())
    throw FileError(manifest, ": is damaged at ", shown(name), "; expected its bytes and crc32");
  const std::string path = (fs::path(folder) / name).string();
  std::error_code error;
  if (!fs::is_regular_file(path, error))
    throw FileError(path, ": is missing; expected a file of ", entry["bytes"].dump(), " bytes");
  const uintmax_t found = fs::file_size(path, error);
  if (error) throw FileError(path, ": cannot be read: ", error.message());
  if (found != entry["bytes"].get<uintmax_t>())
    throw FileError(path, ": has ", found, " bytes; expected ", entry["bytes"].dump());
  const std::string sum = checksum_of(path), expected = entry["crc32"].get<std::string>();
  if (sum != expected)
    throw FileError(path, ": its checksum is ", sum, "; expected ", shown(expected),
                    ": the file was changed or damaged");
}

}  // namespace

void write_manifest(const std::string& folder, const std::vector<std::string>& files) {
  ordered_json entries;
  for (const std::string& name : files) {
    const std::string path = (fs::path(folder) / name).string();
    flush_to_disk(path);  // whoever wrote it
    entries[name] = {{"bytes", fs::file_size(path)}, {"crc32", checksum_of(path)}};
  }
  const ordered_json manifest{{"format", kFormat}, {"version", kVersion}, {"files", entries}};
  write_text_file((fs::path(folder) / kManifestFile).string(), text_of_manifest(manifest));
}

void verify_manifest(const std::string& folder, const std::vector<std::string>& needed) {
  const ordered_json files = read_manifest(folder);
  for (const std::string& name : needed)
    if (!files.contains(name))
      throw FileError(folder, "/", kManifestFile, ": does not list ", name, "; expected it among the files");
  for (const auto& [name, entry] : files.items()) verify_file(folder, name, entry);
}

}  // namespace limoe
