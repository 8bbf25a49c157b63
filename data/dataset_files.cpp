// Writing the descriptions of a data set.
#include "data/dataset_files.h"

#include <fstream>

#include "tensor/atomic_file.h"
#include "tensor/error.h"

namespace limoe {
namespace {

constexpr int kMinSize = 8, kMaxSize = 1024;

std::string join_lines(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

}  // namespace

std::string package_version(const std::string& package) {
  std::ifstream status("/var/lib/dpkg/status");
  std::string line;
  bool inside = false;
  while (std::getline(status, line)) {
    if (line.starts_with("Package: ")) inside = line.substr(9) == package;
    if (inside && line.starts_with("Version: ")) return line.substr(9);
  }
  return "unknown";
}

void write_description(const std::string& folder, const DatasetDescription& description) {
  nlohmann::ordered_json json = {{"name", description.name},
                                 {"image_size", description.image_size},
                                 {"splits", nlohmann::ordered_json::object()},
                                 {"made_by", description.made_by},
                                 {"sources", nlohmann::ordered_json::array()}};
  for (const auto& [split, count] : description.splits) json["splits"][split] = count;
  std::string page = "# Sources of the data set \"" + description.name + "\"\n\n" +
                     "| what | from | Debian package | licence |\n| --- | --- | --- | --- |\n";
  for (const DatasetSource& source : description.sources) {
    std::string package =
        source.package.empty() ? "" : source.package + " " + package_version(source.package);
    json["sources"].push_back(
        {{"what", source.what}, {"from", source.origin}, {"package", package}, {"licence", source.licence}});
    page += "| " + source.what + " | " + source.origin + " | " + package + " | " + source.licence + " |\n";
  }
  page += "\nFull licence texts: /usr/share/doc/PACKAGE/copyright of each package.\n";
  write_text_file(folder + "/dataset.json", json.dump(2) + "\n");
  write_text_file(folder + "/SOURCES.md", page);
}

void write_class_files(const std::string& folder, const std::vector<std::string>& classes,
                       const std::vector<std::string>& templates) {
  write_text_file(folder + "/classnames.txt", join_lines(classes));
  write_text_file(folder + "/zeroshot_classification_templates.txt", join_lines(templates));
}

void check_picture_size(const std::string& maker, int size) {
  if (size < kMinSize || size > kMaxSize)
    throw ValueError(maker, ": size is ", size, "; expected ", kMinSize, " to ", kMaxSize, " pixels");
}

}  // namespace limoe
