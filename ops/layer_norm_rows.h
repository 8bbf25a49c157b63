// layer_norm and add_layer_norm row by row on the CPU: a row stays in the first-level cache between the sum,
// the statistics and the result. For the .cpp files of ops.
#pragma once

#include <cmath>

#include "ops/row_sums.h"
#include "ops/vector_math.h"

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

// One row; adds to dparameters. Two passes over registers: nothing between them is written, so that the bytes
// which go in and out are what takes the time.
template <class T>
void layer_norm_row_backward(const LayerNormRowsBackward<T>& of, int64_t row, int64_t width, T* dparameters) {
  using Register = detail::Register<T>;
  const T *const x = of.x + row * width, *const dy = of.dy + row * width, *const scale = of.scale;
  const T mean = of.mean[row], rstd = of.rstd[row];
  const auto normalized = [=](auto at) { return (at.load(x) - mean) * rstd; };
  Register sum{}, sum_along{};
  detail::for_lanes_of_row<T>(width, [&](auto at) {
    const Register n = normalized(at), gradient = at.load(dy), scaled = gradient * at.load(scale);
    at.store(dparameters, at.load(dparameters) + gradient * n);
    at.store(dparameters + width, at.load(dparameters + width) + gradient);
    sum += scaled;
    sum_along += scaled * n;
  });
  const T mean_scaled = sum_of_lanes<T>(sum) / T(width), along = sum_of_lanes<T>(sum_along) / T(width);
  T* const dx = of.dx + row * width;
  const T* const dsum = of.dsum ? of.dsum + row * width : nullptr;
  detail::for_lanes_of_row<T>(width, [&](auto at) {
    const Register scaled = at.load(dy) * at.load(scale);
    const Register through = rstd * (scaled - mean_scaled - normalized(at) * along);
    at.store(dx, dsum ? through + at.load(dsum) : through);
  });
}

// dparameters [2D]: dscale, then dbias.
template <class T>
void layer_norm_rows_backward(const LayerNormRowsBackward<T>& of, T* dparameters, Rows rows) {
  sum_over_rows(rows.count, 2 * rows.width, dparameters, [&](int64_t begin, int64_t end, T* partial) {
    for (int64_t row = begin; row < end; ++row) layer_norm_row_backward(of, row, rows.width, partial);
  });
}

}  // namespace limoe
