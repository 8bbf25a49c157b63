// The largest of a row, in order: what routing and the load loss choose experts by. For the .cpp files of
// ops.
#pragma once

#include <cmath>
#include <cstdint>

namespace limoe {

// top_k() of one: without branches, because which element is the largest nobody can predict.
template <class T>
bool top_one(const T* row, int64_t width, int32_t* top) {
  int32_t best = 0;
  T largest = row[0];
  bool ordered = !std::isnan(row[0]);
  for (int32_t column = 1; column < width; ++column) {
    const T value = row[column];
    ordered = ordered & !std::isnan(value);
    best = value > largest ? column : best;
    largest = value > largest ? value : largest;
  }
  *top = best;
  return ordered;
}

// top[0..count) = the indices of the `count` largest of row[0..width), largest first; equal values in order
// of index. 1 <= count <= width. False if the row holds a NaN, which has no place in any order; `top` is then
// unspecified. By insertion: count is 1 or 2 in practice.
template <class T>
bool top_k(const T* row, int64_t width, int64_t count, int32_t* top) {
  if (count == 1) return top_one(row, width, top);
  int64_t held = 0;
  for (int64_t column = 0; column < width; ++column) {
    const T value = row[column];
    if (std::isnan(value)) return false;
    int64_t place = held;
    while (place > 0 && row[top[place - 1]] < value) --place;
    if (place == count) continue;
    if (held < count) ++held;
    for (int64_t later = held - 1; later > place; --later) top[later] = top[later - 1];
    top[place] = int32_t(column);
  }
  return true;
}

}  // namespace limoe
