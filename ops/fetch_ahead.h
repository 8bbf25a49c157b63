// Rows of memory on their way into the cache before they are needed: where a row is short or rows lie apart,
// the processor sees no stream that it could follow by itself. For the .cpp files of ops.
#pragma once

#include <cstdint>

namespace limoe::detail {

enum class Fetch { to_read, to_write };

constexpr int64_t kCacheLineBytes = 64;

template <Fetch kFor, class T>
void fetch_rows(const T* from, int64_t stride, int64_t rows, int64_t width) {
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < width; j += kCacheLineBytes / int64_t(sizeof(T)))
      __builtin_prefetch(from + i * stride + j, kFor == Fetch::to_write);
}

// What lies 4 KB behind a row, for loops over rows side by side.
template <Fetch kFor, class T>
void fetch_behind(const T* row, int64_t width) {
  fetch_rows<kFor>(row + 4096 / int64_t(sizeof(T)), 0, 1, width);
}

}  // namespace limoe::detail
