// Panels of B for gemm_tile(): the columns of one tile, rows of B one behind the other.
//
//   panel[p, j] = op(B)[p, j] for j < width, 0 for the columns behind     panel is [depth, kTileColumns]
//
// For the .cpp files of ops.
#pragma once

#include <algorithm>
#include <cstring>

#include "ops/gemm.h"
#include "ops/gemm_tile.h"

namespace limoe::detail {

template <class T>
void pack_panel_rows(const T* b, int64_t stride, int64_t depth, int64_t width, T* panel) {
  constexpr int64_t kColumns = kTileColumns<T>;
  for (int64_t p = 0; p < depth; ++p) {
    T* const to = panel + p * kColumns;
    if (width == kColumns) {
#pragma GCC unroll 4
      for (int64_t r = 0; r < kTileRegisters; ++r)
        reinterpret_cast<Register<T>*>(to)[r] = reinterpret_cast<const Register<T>*>(b + p * stride)[r];
    } else {
      std::memcpy(to, b + p * stride, width * sizeof(T));
      std::memset(to + width, 0, (kColumns - width) * sizeof(T));
    }
  }
}

template <class T>
void pack_panel_columns(const T* b, int64_t stride, int64_t depth, int64_t width, T* panel) {
  constexpr int64_t kColumns = kTileColumns<T>;
  for (int64_t j = 0; j < kColumns; j += kLanes<T>)
    transpose_rows(b + j * stride, stride, width - j, depth, panel + j, kColumns);
}

template <class T>
void pack_panel(GemmOperand<T> b, int64_t depth, int64_t width, T* panel) {
  (b.transposed ? pack_panel_columns<T> : pack_panel_rows<T>)(b.data, b.stride, depth, width, panel);
}

}  // namespace limoe::detail
