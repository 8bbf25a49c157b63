// A long series as few points, for a chart a thousand pixels wide: runs of neighbours become their mean, with
// the smallest and largest of them beside it, so that no spike is lost. Gaps (NaN) stay gaps.
#pragma once

#include <cstddef>
#include <vector>

namespace limoe {

struct Thinned {
  std::vector<double> mean, low, high;  // equally long
};

// Of every run of `run` values (the last may be shorter). run is 1 or more; 1 gives the values themselves.
Thinned thinned(const std::vector<double>& values, size_t run);

// The run that makes `count` values at most `most`.
size_t run_length(size_t count, size_t most);

}  // namespace limoe
