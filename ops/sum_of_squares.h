// The sum of squares of a run of numbers, in double, in an order that is fixed and vectorises: 16 sums side
// by side, added up in order.
#pragma once

#include <cstdint>

namespace limoe {

template <class T>
double sum_of_squares(const T* x, int64_t count, int64_t stride = 1) {
  constexpr int kLanes = 16;
  double lanes[kLanes] = {};
  int64_t i = 0;
  if (stride == 1)
    for (; i + kLanes <= count; i += kLanes)
      for (int lane = 0; lane < kLanes; ++lane) lanes[lane] += double(x[i + lane]) * double(x[i + lane]);
  for (; i < count; ++i) lanes[i % kLanes] += double(x[i * stride]) * double(x[i * stride]);
  double sum = 0;
  for (const double lane : lanes) sum += lane;
  return sum;
}

}  // namespace limoe
