// Sums over rows on the CPU, with the same bits for any number of threads. For the .cpp files of ops.
//
// Rows are cut into at most 64 runs; every run is summed into a row of its own, and those are added in order.
#pragma once

#include <algorithm>

#include "ops/eigen_maps.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"

namespace limoe {

// add_rows(begin, end, partial) adds what rows begin..end-1 give to partial [width]; sums [width] is written.
template <class T, class AddRows>
void sum_over_rows(int64_t rows, int64_t width, T* sums, const AddRows& add_rows) {
  constexpr int64_t kMostRuns = 64;
  const int64_t grain = std::max(rows_per_run(width), run_count(rows, kMostRuns));
  const int64_t runs = run_count(rows, grain);
  Tensor partials = empty({runs, width}, dtype_of<T>);
  T* const partial = partials.mutable_data<T>();
  parallel_for(rows, grain, [&](int64_t begin, int64_t end) {
    T* const mine = partial + begin / grain * width;
    as_row(mine, width).setZero();
    add_rows(begin, end, mine);
  });
  auto total = as_row(sums, width);
  total.setZero();
  for (int64_t run = 0; run < runs; ++run) total += as_row(partial + run * width, width);
}

// sums[column] = the sum of x[row, column] over all rows.
template <class T>
void column_sums(const T* x, Rows rows, T* sums) {
  sum_over_rows(rows.count, rows.width, sums, [=](int64_t begin, int64_t end, T* partial) {
    auto sum = as_row(partial, rows.width);
    for (int64_t row = begin; row < end; ++row) sum += as_row(x + row * rows.width, rows.width);
  });
}

}  // namespace limoe
