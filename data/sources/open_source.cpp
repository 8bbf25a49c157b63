#include "data/sources/open_source.h"

#include <algorithm>

#include "data/lower_case.h"
#include "data/shard_list.h"
#include "data/sources/class_folder_source.h"
#include "data/sources/tar_source.h"

namespace limoe {
namespace {

bool is_table(const std::string& path) {
  const std::string lower = lower_case(path);
  return lower.ends_with(".csv") || lower.ends_with(".tsv");
}

}  // namespace

std::vector<std::unique_ptr<SampleSource>> open_source(const std::string& path, const SourceOptions& options,
                                                       BadSampleLog& bad) {
  const std::vector<std::string> paths = expand_braces(path);
  std::vector<std::unique_ptr<SampleSource>> sources;
  if (std::all_of(paths.begin(), paths.end(), is_table)) {
    for (const std::string& table : paths)
      sources.push_back(std::make_unique<CsvSource>(table, options.csv, bad));
  } else if (std::all_of(paths.begin(), paths.end(), is_class_folder)) {
    for (const std::string& folder : paths) sources.push_back(std::make_unique<ClassFolderSource>(folder));
  } else {
    sources.push_back(std::make_unique<TarSource>(path, options.json_text_key, bad));
  }
  return sources;
}

}  // namespace limoe
