// layer_norm and add_layer_norm row by row on the CPU: a row stays in the first-level cache between the sum,
// the statistics and the result. For the .cpp files of ops.
#pragma once

#include <cmath>

#include "ops/fetch_ahead.h"
#include "ops/row_sums.h"

namespace limoe {

// What is normalised is x, or x + addend where there is an addend; then `sum` [rows, D] is written as well.
template <class T>
struct LayerNormRows {
  const T *x, *scale, *bias;
  T epsilon;
  T *y, *mean, *rstd;
  const T* addend = nullptr;
  T* sum = nullptr;
};

template <class T>
void layer_norm_rows(LayerNormRows<T> of, Rows rows) {
  const int64_t width = rows.width;
  parallel_for(rows.count, rows_per_run(width), [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const T* from = of.x + row * width;
      if (of.addend) {
        as_row(of.sum + row * width, width) = as_row(from, width) + as_row(of.addend + row * width, width);
        from = of.sum + row * width;
      }
      const auto in = as_row(from, width);
      auto out = as_row(of.y + row * width, width);
      of.mean[row] = in.sum() / T(width);
      out = in - of.mean[row];
      of.rstd[row] = T(1) / std::sqrt(out.square().sum() / T(width) + of.epsilon);
      out = out * of.rstd[row] * as_row(of.scale, width) + as_row(of.bias, width);
    }
  });
}

// x is what was normalised. dsum: the gradient that reached it past the norm, or null.
template <class T>
struct LayerNormRowsBackward {
  const T *x, *scale, *mean, *rstd, *dy;
  T* dx;
  const T* dsum = nullptr;
};

// dparameters [2D]: dscale, then dbias.
template <class T>
void layer_norm_rows_backward(LayerNormRowsBackward<T> of, T* dparameters, Rows rows) {
  using detail::Fetch, detail::fetch_behind;
  const int64_t width = rows.width;
  sum_over_rows(rows.count, 2 * width, dparameters, [&](int64_t begin, int64_t end, T* partial) {
    RowArray<T> normalized(width), scaled(width);
    const auto scale = as_row(of.scale, width);
    auto dscale = as_row(partial, width), dbias = as_row(partial + width, width);
    for (int64_t row = begin; row < end; ++row) {
      fetch_behind<Fetch::to_read>(of.dy + row * width, width);
      fetch_behind<Fetch::to_read>(of.x + row * width, width);
      fetch_behind<Fetch::to_write>(of.dx + row * width, width);
      if (of.dsum) fetch_behind<Fetch::to_read>(of.dsum + row * width, width);
      const auto dy = as_row(of.dy + row * width, width);
      const T rstd = of.rstd[row];
      normalized = (as_row(of.x + row * width, width) - of.mean[row]) * rstd;
      scaled = dy * scale;
      dscale += dy * normalized;
      dbias += dy;
      const T mean = scaled.sum() / T(width), along = (scaled * normalized).sum() / T(width);
      auto dx = as_row(of.dx + row * width, width);
      dx = rstd * (scaled - mean - normalized * along);
      if (of.dsum) dx += as_row(of.dsum + row * width, width);
    }
  });
}

}  // namespace limoe
