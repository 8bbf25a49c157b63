// log(sum(exp(row))) in double, of one row. For the .cpp files of ops: log-probabilities of a softmax are
// row - log_sum_exp(row), which stays exact where the probabilities underflow. A row that holds a NaN, or
// +inf, or nothing but -inf gives NaN, as softmax does.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace limoe {

template <class T>
double log_sum_exp(const T* row, int64_t width) {
  double top = double(row[0]);
  for (int64_t column = 1; column < width; ++column) top = std::max(top, double(row[column]));
  double sum = 0;
  for (int64_t column = 0; column < width; ++column) sum += std::exp(double(row[column]) - top);
  return top + std::log(sum);
}

}  // namespace limoe
