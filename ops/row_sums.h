// Sums over rows on the CPU, with the same bits for any number of threads. For the .cpp files of ops.
//
// Rows are cut into at most 64 runs; every run is summed into a row of its own, and those are added in order.
#pragma once

#include <algorithm>

#include "ops/eigen_maps.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"

namespace limoe {

// add(begin, end, partial) adds what rows begin..end-1 give to partial [width]; sums [width] is written.
template <class T, class Add>
void sum_over_rows(int64_t rows, int64_t width, T* sums, const Add& add) {
  constexpr int64_t kMostRuns = 64;
  const int64_t grain = std::max(rows_per_run(width), run_count(rows, kMostRuns));
  const int64_t runs = run_count(rows, grain);
  Tensor partials = empty({runs, width}, dtype_of<T>);
  T* const partial = partials.mutable_data<T>();
  parallel_for(rows, grain, [&](int64_t begin, int64_t end) {
    T* const mine = partial + begin / grain * width;
    as_row(mine, width).setZero();
    add(begin, end, mine);
  });
  auto total = as_row(sums, width);
  total.setZero();
  for (int64_t run = 0; run < runs; ++run) total += as_row(partial + run * width, width);
}

// sum [width] += the rows, one after the other.
template <class T>
void add_rows(const T* rows, int64_t count, int64_t width, T* sum) {
  auto total = as_row(sum, width);
  for (int64_t row = 0; row < count; ++row) total += as_row(rows + row * width, width);
}

// sums[column] = the sum of x[row, column] over all rows.
template <class T>
void column_sums(const T* x, Rows rows, T* sums) {
  sum_over_rows(rows.count, rows.width, sums, [=](int64_t begin, int64_t end, T* partial) {
    add_rows(x + begin * rows.width, end - begin, rows.width, partial);
  });
}

}  // namespace limoe
