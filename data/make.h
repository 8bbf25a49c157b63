// The bundled data sets and how they are asked for. Each maker writes one folder of tar shards
// (data/shards.h) with SOURCES.md (sources, versions, licences) and dataset.json (name, splits with counts,
// image size, how it was made).
//
// A folder that is not empty is refused unless `force`, and an interrupted maker leaves nothing behind
// (data/output_folder.h). A missing source file is one FileError with the Debian package to install.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace limoe {

struct MakeOptions {
  std::string out;
  int size = 0;                        // side of a picture in pixels; 0: the maker's default
  uint64_t seed = 0;                   // of splits, templates and scenes
  std::vector<std::string> languages;  // emoji: names in these languages too, CLDR codes
  int64_t count = 0;                   // shapes: training scenes; 0: the maker's default
  int difficulty = 3;                  // shapes: 1 to 5
  bool force = false;                  // replace an earlier data set in `out`
  std::function<void(int64_t done, int64_t total)> progress;
};

void make_emoji(const MakeOptions& options);
void make_fashion_mnist(const MakeOptions& options);
void make_shapes(const MakeOptions& options);

struct Maker {
  const char* name;
  const char* summary;
  void (*make)(const MakeOptions&);
};

const std::vector<Maker>& makers();

// UsageError that lists the makers when there is none of this name.
const Maker& find_maker(const std::string& name);

}  // namespace limoe
