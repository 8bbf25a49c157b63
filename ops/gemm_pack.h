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
#pragma GCC unroll 2
      for (int64_t r = 0; r < kTileRegisters; ++r)
        reinterpret_cast<Register<T>*>(to)[r] = reinterpret_cast<const Register<T>*>(b + p * stride)[r];
    } else {
      std::memcpy(to, b + p * stride, width * sizeof(T));
      std::memset(to + width, 0, (kColumns - width) * sizeof(T));
    }
  }
}

// B lies transposed: squares of whole registers are turned around on the way.
template <class T>
void pack_panel_columns(const T* b, int64_t stride, int64_t depth, int64_t width, T* panel) {
  constexpr int64_t kColumns = kTileColumns<T>, kSide = kLanes<T>;
  const int64_t whole = depth / kSide * kSide;
  for (int64_t j = 0; j < kColumns; j += kSide) {
    const int64_t left = std::clamp<int64_t>(width - j, 0, kSide);
    const T* const from = b + j * stride;
    for (int64_t p = 0; p < whole; p += kSide) {
      Register<T> square[kSide];
#pragma GCC unroll 16
      for (int64_t i = 0; i < kSide; ++i)
        square[i] = i < left ? *reinterpret_cast<const Register<T>*>(from + i * stride + p) : Register<T>{};
      transpose_square<T>(square);
#pragma GCC unroll 16
      for (int64_t i = 0; i < kSide; ++i)
        *reinterpret_cast<Register<T>*>(panel + (p + i) * kColumns + j) = square[i];
    }
    for (int64_t p = whole; p < depth; ++p)
      for (int64_t i = 0; i < kSide; ++i)
        panel[p * kColumns + j + i] = i < left ? from[i * stride + p] : T(0);
  }
}

template <class T>
void pack_panel(GemmOperand<T> b, int64_t depth, int64_t width, T* panel) {
  (b.transposed ? pack_panel_columns<T> : pack_panel_rows<T>)(b.data, b.stride, depth, width, panel);
}

}  // namespace limoe::detail
