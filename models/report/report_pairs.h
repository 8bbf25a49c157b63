// Pairs of a data set for the report, spread evenly over it, with their pictures as the model reads them.
#pragma once

#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/image.h"

namespace limoe {

struct ReportPairs {
  std::string name;                   // "heldout-concepts-base", or "training pairs"
  int64_t all = 0;                    // in the set
  std::string reason;                 // why it cannot be read; empty when it can
  std::vector<Image> images;          // squares of the model's size
  std::vector<std::string> captions;  // as many

  size_t size() const { return captions.size(); }
};

// At most `most` of them; pairs that cannot be read are left out. Never throws for a set that is not there or
// cannot be read: `reason` says so.
ReportPairs read_report_pairs(const std::string& source, const std::string& name,
                              const DatasetOptions& options, int64_t most, int image_size);

// Indices of `count` things spread evenly over `all`: 0, .., ascending, none twice.
std::vector<int64_t> spread_evenly(int64_t all, int64_t count);

}  // namespace limoe
