// The micro-kernel of matrix products: a tile of C that stays in registers for all of k.
//
//   c[i, j] = start[i, j] + sum over p of a[i, p] * b[p, j]     in the order of p, each step one fused
//                                                               multiply-add where the target has one
//
// Elements of A are broadcast from where they lie; a row of B is read as whole registers. The order of an
// element's sum is the same in tiles of every size, so how C is cut into tiles does not show in the bits.
//
// 14 x 2 registers of sums (AVX-512; 6 x 2 with 16 registers) keep both multiply-add units of a core busy:
// more than the 8 sums that hide a latency of 4 cycles, and 16 loads for 28 multiply-adds.
//
// For the .cpp files of ops.
#pragma once

#include <array>
#include <utility>

#include "ops/registers.h"

namespace limoe::detail {

#if defined(__AVX512F__)
constexpr int64_t kTileRows = 14;
#elif defined(__aarch64__)
constexpr int64_t kTileRows = 12;
#else
constexpr int64_t kTileRows = 6;
#endif
constexpr int64_t kTileRegisters = 2;
template <class T>
constexpr int64_t kTileColumns = kTileRegisters* kLanes<T>;

template <class T>
struct TileOperands {
  int64_t k;
  const T* a;
  int64_t a_row, a_column;  // from one row, one column of A to the next
  const T* b;
  int64_t b_stride;
  const T* start;
  int64_t start_stride;  // 0: one row for all
  T* c;
  int64_t c_stride;
  int64_t last_lanes;  // of the last register, where the tile is a partial one
};

// kPartial: only the first lanes of the last register are columns of C. Those of B behind them are not read
// where the target has masks; elsewhere they have to be there.
template <class T, int64_t kRows, int64_t kRegisters, bool kPartial>
void gemm_tile(const TileOperands<T>& of) {
  const auto [k, a, a_row, a_column, b, b_stride, start, start_stride, c, c_stride, last_lanes] = of;
  Register<T> sums[kRows][kRegisters], row[kRegisters];
#pragma GCC unroll 64
  for (int64_t i = 0; i < kRows * kRegisters; ++i) {
    const T* const from = start + i / kRegisters * start_stride + i % kRegisters * kLanes<T>;
    const bool last = i % kRegisters == kRegisters - 1;
    sums[i / kRegisters][i % kRegisters] =
        kPartial && last ? load_lanes(from, last_lanes) : load_register(from);
  }
  for (int64_t p = 0; p < k; ++p) {
#pragma GCC unroll 4
    for (int64_t j = 0; j < kRegisters; ++j) {
      const T* const from = b + p * b_stride + j * kLanes<T>;
      row[j] =
          kPartial && kHasMasks && j == kRegisters - 1 ? load_lanes(from, last_lanes) : load_register(from);
    }
    // The next tiles' columns of B, and of A where it lies transposed: far apart in memory, so that no
    // processor foresees them. A prefetch of what nobody reads is harmless.
#pragma GCC unroll 4
    for (int64_t j = 0; j < kRegisters; ++j)
      __builtin_prefetch(b + p * b_stride + (kRegisters + j) * kLanes<T>);
    __builtin_prefetch(a + p * a_column + 2 * kLanes<T>);
#pragma GCC unroll 64
    for (int64_t i = 0; i < kRows * kRegisters; ++i)
      sums[i / kRegisters][i % kRegisters] += a[i / kRegisters * a_row + p * a_column] * row[i % kRegisters];
  }
#pragma GCC unroll 64
  for (int64_t i = 0; i < kRows * kRegisters; ++i) {
    T* const to = c + i / kRegisters * c_stride + i % kRegisters * kLanes<T>;
    if (kPartial && i % kRegisters == kRegisters - 1)
      store_lanes(to, sums[i / kRegisters][i % kRegisters], last_lanes);
    else
      store_register(to, sums[i / kRegisters][i % kRegisters]);
  }
}

template <class T>
using TileBody = void (*)(const TileOperands<T>&);

template <class T, int64_t kRegisters, bool kPartial, size_t... kRowsLessOne>
constexpr std::array<TileBody<T>, sizeof...(kRowsLessOne)> tile_bodies(std::index_sequence<kRowsLessOne...>) {
  return {gemm_tile<T, int64_t(kRowsLessOne) + 1, kRegisters, kPartial>...};
}

// The bodies for `width` columns, 1..kTileColumns; [rows - 1] is the one for so many rows.
template <class T>
const std::array<TileBody<T>, kTileRows>& tile_bodies(int64_t width) {
  using AllRows = std::make_index_sequence<kTileRows>;
  static constexpr std::array<TileBody<T>, kTileRows> kBodies[2][2] = {
      {tile_bodies<T, 1, false>(AllRows()), tile_bodies<T, 1, true>(AllRows())},
      {tile_bodies<T, 2, false>(AllRows()), tile_bodies<T, 2, true>(AllRows())}};
  return kBodies[width > kLanes<T>][width % kLanes<T> != 0];
}

}  // namespace limoe::detail
