// Products of matrices that fit the first-level cache: C = op(A) * B, or C += op(A) * B, on the calling
// thread.
//
// op(A) is [m, k], B is [k, n] with dense rows, C is [m, n]. Nothing is packed: elements of A are broadcast
// from where they lie and rows of B are read as whole registers, which for sizes of a few dozen, such as one
// attention head, is several times faster than the general gemm(). Best where n is a multiple of 16; any
// other n is right too. gemm_on_this_thread() is the readable twin this is tested against. For the .cpp files
// of ops.
#pragma once

#include <algorithm>
#include <array>
#include <utility>

#include "ops/fetch_ahead.h"
#include "ops/gemm.h"
#include "ops/registers.h"

namespace limoe {
namespace detail {

// The most rows of a tile that is 0, 1, 2 ... registers wide: its sums, a row of B and an element of A fit
// the registers, and the wider the tile the fewer loads a multiplication takes.
constexpr int64_t kSmallTileRegisters = 4;
#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int64_t kSmallTileRows[kSmallTileRegisters + 1] = {0, 16, 12, 9, 6};
#else
constexpr int64_t kSmallTileRows[kSmallTileRegisters + 1] = {0, 8, 6, 4, 2};
#endif

enum class Write { replace, add };

// Where op(A)'s elements lie. One of the strides is 1, known to the compiler.
template <class T, bool kTransposed>
struct SmallOperand {
  const T* data;
  int64_t stride;
  T at(int64_t row, int64_t column) const {
    return kTransposed ? data[column * stride + row] : data[row * stride + column];
  }
  SmallOperand from_row(int64_t row) const { return {data + row * (kTransposed ? 1 : stride), stride}; }
};

template <class T>
struct SmallRows {
  T* data;
  int64_t stride;
  SmallRows from_row(int64_t row) const { return {data + row * stride, stride}; }
};

// A tile of kRows rows and kRegisters whole registers of columns stays in registers for all of k.
template <Write kWrite, int64_t kRegisters, class T, bool kTransposed, int64_t kRows>
void small_tile(int64_t k, SmallOperand<T, kTransposed> a, SmallRows<const T> b, SmallRows<T> c) {
  Register<T> sums[kRows][kRegisters];
#pragma GCC unroll 32
  for (int64_t i = 0; i < kRows * kRegisters; ++i) {
    const auto* const old = reinterpret_cast<const Register<T>*>(c.data + i / kRegisters * c.stride);
    sums[i / kRegisters][i % kRegisters] = kWrite == Write::add ? old[i % kRegisters] : Register<T>{};
  }
  for (int64_t p = 0; p < k; ++p) {
    const Register<T>* const row = reinterpret_cast<const Register<T>*>(b.data + p * b.stride);
#pragma GCC unroll 32
    for (int64_t i = 0; i < kRows * kRegisters; ++i)
      sums[i / kRegisters][i % kRegisters] += a.at(i / kRegisters, p) * row[i % kRegisters];
  }
#pragma GCC unroll 32
  for (int64_t i = 0; i < kRows * kRegisters; ++i)
    reinterpret_cast<Register<T>*>(c.data + i / kRegisters * c.stride)[i % kRegisters] =
        sums[i / kRegisters][i % kRegisters];
}

template <class T, bool kTransposed>
using SmallTile = void (*)(int64_t k, SmallOperand<T, kTransposed> a, SmallRows<const T> b, SmallRows<T> c);

// [rows - 1]: the one for so many rows.
template <Write kWrite, int64_t kRegisters, class T, bool kTransposed, size_t... kRowsLessOne>
constexpr auto small_tiles(std::index_sequence<kRowsLessOne...>) {
  return std::array{small_tile<kWrite, kRegisters, T, kTransposed, int64_t(kRowsLessOne) + 1>...};
}

// All rows of a strip of columns, cut into tiles of as even a height as can be.
template <Write kWrite, int64_t kRegisters, class T, bool kTransposed>
void small_strip(int64_t m, int64_t k, SmallOperand<T, kTransposed> a, SmallRows<const T> b, SmallRows<T> c,
                 RowsToFetch<T>& ahead) {
  constexpr int64_t kMost = kSmallTileRows[kRegisters];
  static constexpr std::array<SmallTile<T, kTransposed>, size_t(kMost)> kTiles =
      small_tiles<kWrite, kRegisters, T, kTransposed>(std::make_index_sequence<kMost>());
  const int64_t tiles = (m + kMost - 1) / kMost, least = tiles > 1 ? m / tiles : m,
                longer = m - tiles * least;
  for (int64_t tile = 0, row = 0; tile < tiles; ++tile) {
    const int64_t rows = least + (tile < longer);
    ahead.fetch_some();
    kTiles[size_t(rows - 1)](k, a.from_row(row), b, c.from_row(row));
    row += rows;
  }
}

template <Write kWrite, bool kTransposed, class T>
void small_product(int64_t m, int64_t n, int64_t k, SmallOperand<T, kTransposed> a, SmallRows<const T> b,
                   SmallRows<T> c, RowsToFetch<T>& ahead) {
  int64_t j = 0;
  const auto strips = [&]<int64_t kRegisters>(std::integral_constant<int64_t, kRegisters>) {
    for (; j + kRegisters * kLanes<T> <= n; j += kRegisters * kLanes<T>)
      small_strip<kWrite, kRegisters>(m, k, a, {b.data + j, b.stride}, {c.data + j, c.stride}, ahead);
  };
  strips(std::integral_constant<int64_t, 4>());
  strips(std::integral_constant<int64_t, 3>());
  strips(std::integral_constant<int64_t, 2>());
  strips(std::integral_constant<int64_t, 1>());
  if (j < n)
    gemm_on_this_thread<T>(m, n - j, k, {a.data, a.stride, kTransposed}, {b.data + j, b.stride},
                           T(kWrite == Write::add), c.data + j, c.stride);
}

}  // namespace detail

using detail::Write;

// `ahead`: what is fetched meanwhile, a few rows with each tile.
template <class T, Write kWrite = Write::replace>
void small_gemm(int64_t m, int64_t n, int64_t k, GemmOperand<T> a, const T* b, int64_t b_stride, T* c,
                int64_t c_stride, detail::RowsToFetch<T>& ahead) {
  if (a.transposed)
    detail::small_product<kWrite, true, T>(m, n, k, {a.data, a.stride}, {b, b_stride}, {c, c_stride}, ahead);
  else
    detail::small_product<kWrite, false, T>(m, n, k, {a.data, a.stride}, {b, b_stride}, {c, c_stride}, ahead);
}

template <class T, Write kWrite = Write::replace>
void small_gemm(int64_t m, int64_t n, int64_t k, GemmOperand<T> a, const T* b, int64_t b_stride, T* c,
                int64_t c_stride) {
  detail::RowsToFetch<T> nothing;
  small_gemm<T, kWrite>(m, n, k, a, b, b_stride, c, c_stride, nothing);
}

// to [columns, padded_rows] = from [rows, columns] transposed, zero behind the first `rows` of each row;
// padded_rows is a multiple of a register's lanes. By whole registers, because a product that
// reads registers soon after they were written in pieces waits for every piece to reach the cache.
template <class T>
void transpose_padded(const T* from, int64_t stride, int64_t rows, int64_t columns, T* to,
                      int64_t padded_rows) {
  for (int64_t row = 0; row < padded_rows; row += detail::kLanes<T>)
    detail::transpose_rows(from + row * stride, stride, rows - row, columns, to + row, padded_rows);
}

}  // namespace limoe
