// The small files beside the shards of a data set: dataset.json, SOURCES.md, classnames.txt and
// zeroshot_classification_templates.txt.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace limoe {

struct DatasetSource {
  std::string what;     // "Pictures"
  std::string origin;   // "Noto Color Emoji"
  std::string package;  // Debian package; its installed version is looked up. Empty: made by this program
  std::string licence;
};

struct DatasetDescription {
  std::string name;
  int image_size;
  std::vector<std::pair<std::string, int64_t>> splits;  // name, samples
  nlohmann::ordered_json made_by;                       // the options that reproduce it
  std::vector<DatasetSource> sources;
};

// dataset.json and SOURCES.md.
void write_description(const std::string& folder, const DatasetDescription& description);

void write_class_files(const std::string& folder, const std::vector<std::string>& classes,
                       const std::vector<std::string>& templates);

// The installed version of a Debian package, "unknown" where it cannot be told.
std::string package_version(const std::string& package);

// ValueError unless 8 <= size <= 1024.
void check_picture_size(const std::string& maker, int size);

}  // namespace limoe
