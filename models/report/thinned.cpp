#include "models/report/thinned.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace limoe {

size_t run_length(size_t count, size_t most) {
  return std::max<size_t>(1, (count + most - 1) / most);
}

Thinned thinned(const std::vector<double>& values, size_t run) {
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  Thinned result;
  for (size_t first = 0; first < values.size(); first += run) {
    double sum = 0, low = kNaN, high = kNaN;
    size_t count = 0;
    for (size_t at = first; at < std::min(first + run, values.size()); ++at) {
      if (!std::isfinite(values[at])) continue;
      sum += values[at];
      ++count;
      low = std::fmin(low, values[at]);
      high = std::fmax(high, values[at]);
    }
    result.mean.push_back(count > 0 ? sum / double(count) : kNaN);
    result.low.push_back(low);
    result.high.push_back(high);
  }
  return result;
}

}  // namespace limoe
