// The micro-kernel of matrix products: a tile of C that stays in registers for all of k.
//
//   c[i, j] = start[i, j] + sum over p of a[i, p] * b[p, j]     in the order of p, each step one fused
//                                                               multiply-add where the target has one
//
// Elements of A are broadcast from where they lie; a row of B is read as whole registers. The order of an
// element's sum is the same in tiles of every size, so how C is cut into tiles does not show in the bits.
//
// 9 x 3 registers of sums (AVX-512; 6 x 2 with 16 registers) keep both multiply-add units of a core busy:
// more than the 8 sums that hide a latency of 4 cycles, and 12 loads for 27 multiply-adds. 14 x 2 would load
// 16 for 28, needs more pointers into A than there are integer registers, and reaches 4 % less. Rows of A a
// multiple of 4 KiB apart share one set of the first-level cache; 9 of them still fit its 12 ways.
//
// For the .cpp files of ops.
#pragma once

#include <array>
#include <utility>

#include "ops/registers.h"

namespace limoe::detail {

#if defined(__AVX512F__)
constexpr int64_t kTileRows = 9, kTileRegisters = 3;
#elif defined(__aarch64__)
constexpr int64_t kTileRows = 12, kTileRegisters = 2;
#else
constexpr int64_t kTileRows = 6, kTileRegisters = 2;
#endif
template <class T>
constexpr int64_t kTileColumns = kTileRegisters* kLanes<T>;

template <class T>
struct TileOperands {
  int64_t k;
  const T* a;
  int64_t a_row, a_column;  // from one row, one column of A to the next
  const T* b;
  int64_t b_stride;
  // Rows as wide as the tile's, fetched into the caches meanwhile: what is needed next. They are spread over
  // the k steps, because a core waits for about 16 lines at a time: asked for at once they hold up the sums.
  const T* const* ahead;
  uint64_t ahead_per_step;  // rows * 2^32, rounded down; one row at least
  const T* start;
  int64_t start_stride;  // 0: one row for all
  T* c;
  int64_t c_stride;
  int64_t last_lanes;  // of the last register, where the tile is a partial one
};

// kPartial: only the first lanes of the last register are columns of C. Those of B behind them are not read
// where the target has masks; elsewhere they have to be there.
template <class T, int64_t kRegisters, bool kPartial, int64_t kRows>
void gemm_tile(const TileOperands<T>& of) {
  const auto [k, a, a_row, a_column, b, b_stride, ahead, ahead_per_step, start, start_stride, c, c_stride,
              last_lanes] = of;
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
    const T* const ahead_row = ahead[uint64_t(p) * ahead_per_step >> 32];
#pragma GCC unroll 4
    for (int64_t j = 0; j < kRegisters; ++j) __builtin_prefetch(ahead_row + j * kLanes<T>);
    // What further tiles need of A where it lies transposed; elsewhere its rows are streams anyway.
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
constexpr std::array<TileBody<T>, kTileRows> tile_bodies(std::index_sequence<kRowsLessOne...>) {
  return {gemm_tile<T, kRegisters, kPartial, int64_t(kRowsLessOne) + 1>...};
}

template <class T, size_t... kRegistersLessOne>
constexpr auto all_tile_bodies(std::index_sequence<kRegistersLessOne...>) {
  using AllRows = std::make_index_sequence<kTileRows>;
  return std::array<std::array<std::array<TileBody<T>, kTileRows>, 2>, kTileRegisters>{
      {{tile_bodies<T, int64_t(kRegistersLessOne) + 1, false>(AllRows()),
        tile_bodies<T, int64_t(kRegistersLessOne) + 1, true>(AllRows())}...}};
}

// The bodies for `width` columns, 1..kTileColumns; [rows - 1] is the one for so many rows.
template <class T>
const std::array<TileBody<T>, kTileRows>& tile_bodies(int64_t width) {
  static constexpr auto kBodies = all_tile_bodies<T>(std::make_index_sequence<kTileRegisters>());
  return kBodies[(width - 1) / kLanes<T>][width % kLanes<T> != 0];
}

}  // namespace limoe::detail
