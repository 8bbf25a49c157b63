#include "data/class_names.h"

#include <filesystem>
#include <fstream>

#include "tensor/error.h"

namespace limoe {

std::vector<std::string> read_lines(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw FileError(path, ": cannot be opened; expected one entry a line");
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty()) lines.push_back(line);
  }
  if (lines.empty()) throw FileError(path, ": has no line; expected one entry a line");
  return lines;
}

std::string find_beside(const std::string& folder, const std::string& name) {
  const std::filesystem::path here = std::filesystem::path(folder.empty() ? "." : folder).lexically_normal();
  const std::filesystem::path inside = here.has_filename() ? here : here.parent_path();
  for (const std::filesystem::path& place : {inside, inside.parent_path()})
    if (std::filesystem::is_regular_file(place / name)) return (place / name).string();
  return "";
}

}  // namespace limoe
