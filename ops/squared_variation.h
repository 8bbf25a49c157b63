// The squared coefficient of variation, (std / mean)^2 with the population's std: 0 for equal loads of the
// experts, E - 1 when one of E takes all. For the .cpp files of ops.
//
// With m the mean and v the variance of n values:  d/dx_i = 2 (x_i - m) / (n m^2) - 2 v / (n m^3).
#pragma once

#include <vector>

namespace limoe {

struct Moments {
  double mean, variance;
};

inline Moments moments(const std::vector<double>& values) {
  Moments result{0, 0};
  for (const double value : values) result.mean += value;
  result.mean /= double(values.size());
  for (const double value : values) result.variance += (value - result.mean) * (value - result.mean);
  result.variance /= double(values.size());
  return result;
}

inline double squared_variation(const std::vector<double>& values) {
  const auto [mean, variance] = moments(values);
  return variance / (mean * mean);
}

inline std::vector<double> squared_variation_gradient(const std::vector<double>& values) {
  const auto [mean, variance] = moments(values);
  std::vector<double> gradient;
  for (const double value : values)
    gradient.push_back(2 * (value - mean - variance / mean) / (double(values.size()) * mean * mean));
  return gradient;
}

}  // namespace limoe
