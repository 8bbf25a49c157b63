#include "data/sources/class_folder_source.h"

#include <algorithm>
#include <filesystem>

#include "data/class_names.h"
#include "data/sources/picture_file.h"
#include "tensor/error.h"

namespace limoe {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> folders_in(const std::string& folder) {
  std::vector<std::string> folders;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    std::string name = entry.path().filename().string();
    if (entry.is_directory() && !name.starts_with('.')) folders.push_back(std::move(name));
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

bool is_picture(const fs::directory_entry& entry) {
  return has_picture_ending(entry.path().filename().string()) && entry.is_regular_file();
}

bool holds_picture(const fs::path& folder) {
  const fs::recursive_directory_iterator all(folder);
  return std::any_of(fs::begin(all), fs::end(all), is_picture);
}

std::string spoken(std::string name) {
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '_' || c == '-'; }, ' ');
  return name;
}

std::vector<std::string> names_of(const std::string& folder, const std::vector<std::string>& folders) {
  const std::string file = find_beside(folder, kClassNamesFile);
  if (file.empty()) {
    std::vector<std::string> names;
    std::transform(folders.begin(), folders.end(), std::back_inserter(names), spoken);
    return names;
  }
  std::vector<std::string> names = read_lines(file);
  if (names.size() != folders.size())
    throw FileError(file, ": names ", names.size(), " classes; expected ", folders.size(),
                    ", as many as there are folders in ", folder);
  return names;
}

}  // namespace

bool is_class_folder(const std::string& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) return false;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".tar") return false;
  const std::vector<std::string> folders = folders_in(folder);
  return std::any_of(folders.begin(), folders.end(),
                     [&](const std::string& name) { return holds_picture(fs::path(folder) / name); });
}

std::vector<std::string> class_folder_names(const std::string& folder) {
  return names_of(folder, folders_in(folder));
}

ClassFolderSource::ClassFolderSource(const std::string& folder)
    : folder_(folder), folders_(folders_in(folder)), names_(names_of(folder, folders_)) {
  for (int32_t label = 0; label < static_cast<int32_t>(folders_.size()); ++label) index_class(label);
}

void ClassFolderSource::index_class(int32_t label) {
  const fs::path folder = fs::path(folder_) / folders_[static_cast<std::size_t>(label)];
  std::vector<std::string> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder))
    if (is_picture(entry)) files.push_back(entry.path().lexically_relative(folder).string());
  std::sort(files.begin(), files.end());
  for (std::string& file : files) samples_.push_back({label, std::move(file)});
}

std::string ClassFolderSource::key(int64_t sample) const {
  return folders_[static_cast<std::size_t>(at(sample).label)] + '/' + at(sample).file;
}

std::string ClassFolderSource::image_name(int64_t sample) const {
  return folder_ + ": " + key(sample);
}

std::vector<uint8_t> ClassFolderSource::read_image(int64_t sample) const {
  return read_picture_file((fs::path(folder_) / key(sample)).string(), "of a folder of classes");
}

SampleText ClassFolderSource::read_text(int64_t sample) const {
  const int32_t label = at(sample).label;
  SampleText text = caption_only(names_[static_cast<std::size_t>(label)], image_name(sample));
  text.label = label;
  return text;
}

BadSample ClassFolderSource::place_of(int64_t sample) const {
  return {folder_, key(sample), 0, ""};
}

}  // namespace limoe
