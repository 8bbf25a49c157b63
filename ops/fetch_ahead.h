// Rows of memory on their way into the cache before they are needed: where a row is short or rows lie apart,
// the processor sees no stream that it could follow by itself. For the .cpp files of ops.
#pragma once

#include <cstdint>

namespace limoe::detail {

constexpr int64_t kCacheLineBytes = 64;

// Rows that will be needed, fetched a few at a time between pieces of work that leave the memory idle: a core
// waits for about 16 lines at once, so all in one go would be no faster than fetching them when they are
// needed. They go to the second-level cache, so that they drive nothing out of the first.
template <class T>
class RowsToFetch {
 public:
  void begin(int64_t rows_at_once) {
    rows_at_once_ = rows_at_once;
    now_ = end_ = 0;
  }
  void add(const T* first, int64_t stride, int64_t rows, int64_t width) {
    runs_[end_++] = {first, stride, rows, width};
  }
  void fetch_some() {
    for (int64_t row = 0; row < rows_at_once_ && now_ < end_; ++row) fetch_row();
  }

 private:
  void fetch_row() {
    Run& run = runs_[now_];
    constexpr int64_t kLine = kCacheLineBytes / int64_t(sizeof(T));
    for (int64_t j = 0; run.rows > 0 && j < run.width; j += kLine) __builtin_prefetch(run.next + j, 0, 2);
    run.next += run.stride;
    if (--run.rows <= 0) ++now_;
  }

  struct Run {
    const T* next;
    int64_t stride, rows, width;
  };
  Run runs_[8];
  int64_t rows_at_once_ = 0, now_ = 0, end_ = 0;
};

}  // namespace limoe::detail
