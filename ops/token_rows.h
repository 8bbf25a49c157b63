// Rows of experts that are gathered from tokens and scattered to them, one expert a token, a block at a time:
// what moe_dispatch and moe_combine do in passes of their own, with their bits. For the .cpp files of ops.
#pragma once

#include <algorithm>

#include "ops/eigen_maps.h"

namespace limoe {

// Row r of the experts is token token_of[r]. Null: rows are not tokens, and lie in their own order.
template <class T>
struct TokenRows {
  const int32_t* token_of = nullptr;  // [R]
  const T* gates = nullptr;           // [N]

  explicit operator bool() const { return token_of != nullptr; }
  TokenRows from(int64_t row) const { return *this ? TokenRows{token_of + row, gates} : *this; }
};

// to[r] = from[t]
template <class T>
void gather_rows(const TokenRows<T>& rows, const T* from, int64_t count, int64_t width, T* to) {
  for (int64_t r = 0; r < count; ++r) std::copy_n(from + rows.token_of[r] * width, width, to + r * width);
}

// to[t] = from[r]
template <class T>
void scatter_rows(const TokenRows<T>& rows, const T* from, int64_t count, int64_t width, T* to) {
  for (int64_t r = 0; r < count; ++r)
    as_row(to + rows.token_of[r] * width, width) = T(0) + as_row(from + r * width, width);
}

// y[t] = gates[t] * from[r]
template <class T>
void scatter_gated_rows(const TokenRows<T>& rows, const T* from, int64_t count, int64_t width, T* y) {
  for (int64_t r = 0; r < count; ++r) {
    const int64_t token = rows.token_of[r];
    as_row(y + token * width, width) = T(0) + rows.gates[token] * as_row(from + r * width, width);
  }
}

// The way back: drows[r] = gates[t] * dy[t], dgates[t] = <dy[t], y[r]>; y: the experts' rows.
template <class T>
void gather_gated_gradient(const TokenRows<T>& rows, const T* dy, const T* y, int64_t count, int64_t width,
                           T* drows, T* dgates) {
  for (int64_t r = 0; r < count; ++r) {
    const int64_t token = rows.token_of[r];
    const auto gradient = as_row(dy + token * width, width);
    as_row(drows + r * width, width) = rows.gates[token] * gradient;
    dgates[token] = (gradient * as_row(y + r * width, width)).sum();
  }
}

}  // namespace limoe
