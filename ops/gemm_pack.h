// Copies for gemm_tile(): panels of B, the columns of one tile, rows of B one behind the other,
//
//   panel[p, j] = op(B)[p, j] for j < width, 0 for the columns behind     panel is [depth, kTileColumns]
//
// and blocks of A, the rows of one tile after those of the one before,
//
//   block[first * depth + p * height + i] = op(A)[first + i, p]     of a tile with rows first .. first +
//   height - 1
//
// For the .cpp files of ops.
#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

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

// Rows are cut into tiles of as even a height as can be: two tiles of 5 are faster than one of 9 and one
// of 1.
struct TileCut {
  int64_t rows, tiles;
  explicit TileCut(int64_t all_rows) : rows(all_rows), tiles((all_rows + kTileRows - 1) / kTileRows) {}
  int64_t first_row(int64_t tile) const { return rows * tile / tiles; }
};

template <class T, int64_t kHeight>
void pack_tile_of_columns(const T* a, int64_t stride, int64_t depth, T* to) {
  for (int64_t p = 0; p < depth; ++p) std::memcpy(to + p * kHeight, a + p * stride, kHeight * sizeof(T));
}

template <class T, size_t... kHeightsLessOne>
constexpr auto pack_bodies(std::index_sequence<kHeightsLessOne...>) {
  return std::array{pack_tile_of_columns<T, int64_t(kHeightsLessOne) + 1>...};
}

// A block of an A that lies transposed. A few of its rows of memory at a time, which stay in the first-level
// cache while every tile takes its piece of them.
template <class T>
void pack_block_of_columns(const T* a, int64_t stride, int64_t depth, const TileCut& cut, T* block) {
  static constexpr auto kBodies = pack_bodies<T>(std::make_index_sequence<kTileRows>());
  constexpr int64_t kTogether = 8;
  for (int64_t p = 0; p < depth; p += kTogether)
    for (int64_t tile = 0; tile < cut.tiles; ++tile) {
      const int64_t first = cut.first_row(tile), height = cut.first_row(tile + 1) - first;
      kBodies[size_t(height - 1)](a + p * stride + first, stride, std::min(kTogether, depth - p),
                                  block + first * depth + p * height);
    }
}

}  // namespace limoe::detail
