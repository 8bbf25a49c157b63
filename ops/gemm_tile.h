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
};

template <class T, int64_t kRows, int64_t kRegisters>
void gemm_tile(const TileOperands<T>& of) {
  const auto [k, a, a_row, a_column, b, b_stride, start, start_stride, c, c_stride] = of;
  Register<T> sums[kRows][kRegisters];
#pragma GCC unroll 64
  for (int64_t i = 0; i < kRows * kRegisters; ++i)
    sums[i / kRegisters][i % kRegisters] =
        reinterpret_cast<const Register<T>*>(start + i / kRegisters * start_stride)[i % kRegisters];
  for (int64_t p = 0; p < k; ++p) {
    const Register<T>* const row = reinterpret_cast<const Register<T>*>(b + p * b_stride);
#pragma GCC unroll 64
    for (int64_t i = 0; i < kRows * kRegisters; ++i)
      sums[i / kRegisters][i % kRegisters] += a[i / kRegisters * a_row + p * a_column] * row[i % kRegisters];
  }
#pragma GCC unroll 64
  for (int64_t i = 0; i < kRows * kRegisters; ++i)
    reinterpret_cast<Register<T>*>(c + i / kRegisters * c_stride)[i % kRegisters] =
        sums[i / kRegisters][i % kRegisters];
}

template <class T>
using TileBody = void (*)(const TileOperands<T>&);

template <class T, int64_t kRegisters, size_t... kRowsLessOne>
constexpr std::array<TileBody<T>, sizeof...(kRowsLessOne)> tile_bodies(std::index_sequence<kRowsLessOne...>) {
  return {gemm_tile<T, int64_t(kRowsLessOne) + 1, kRegisters>...};
}

// The body for `rows` rows, 1..kTileRows, of one or kTileRegisters registers.
template <class T>
TileBody<T> tile_body(int64_t rows, int64_t registers) {
  using AllRows = std::make_index_sequence<kTileRows>;
  static constexpr auto narrow = tile_bodies<T, 1>(AllRows()),
                        wide = tile_bodies<T, kTileRegisters>(AllRows());
  return (registers == 1 ? narrow : wide)[rows - 1];
}

}  // namespace limoe::detail
