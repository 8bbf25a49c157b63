#include "models/report/report_pairs.h"

#include <algorithm>
#include <exception>

#include "data/square.h"
#include "tensor/error.h"

namespace limoe {

std::vector<int64_t> spread_evenly(int64_t all, int64_t count) {
  std::vector<int64_t> indices;
  count = std::min(all, count);
  for (int64_t i = 0; i < count; ++i) indices.push_back(i * all / count);
  return indices;
}

ReportPairs read_report_pairs(const std::string& source, const std::string& name,
                              const DatasetOptions& options, int64_t most, int image_size) {
  ReportPairs pairs{.name = name, .all = 0, .reason = "", .images = {}, .captions = {}};
  try {
    const Dataset dataset(source, options);
    pairs.all = dataset.size();
    for (const int64_t sample : spread_evenly(dataset.size(), most)) {
      try {
        Image image = fit_square(dataset.decode(sample, dataset.read_image(sample)), image_size);
        pairs.captions.push_back(dataset.read_text(sample).caption);
        pairs.images.push_back(std::move(image));
      } catch (const Error& error) {
        dataset.report_bad(sample, error.what());  // too many of them: the set is of no use
      }
    }
  } catch (const std::exception& error) {
    pairs.reason = error.what();
    pairs.images.clear();
    pairs.captions.clear();
  }
  return pairs;
}

}  // namespace limoe
