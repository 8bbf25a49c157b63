// Products of matrices that fit the first-level cache: C = op(A) * B on the calling thread.
//
// op(A) is [m, k], B is [k, n] with dense rows, C is [m, n]. Nothing is packed: elements of A are broadcast
// from where they lie and rows of B are read as whole registers, which for sizes of a few dozen, such as one
// attention head, is several times faster than the general gemm(). Best where n is a multiple of 16; any
// other n is right too. gemm_on_this_thread() is the readable twin this is tested against. For the .cpp files
// of ops.
#pragma once

#include <algorithm>

#include "ops/gemm.h"
#include "ops/registers.h"

namespace limoe {
namespace detail {

#if defined(__AVX512F__)
constexpr int64_t kSmallTileRows = 8;
#else
constexpr int64_t kSmallTileRows = 4;
#endif

// A tile of kRows rows and kRegisters whole registers of columns stays in registers for all of k.
template <class T, int64_t kRows, int64_t kRegisters>
void small_tile(int64_t k, const T* a, int64_t a_row, int64_t a_column, const T* b, int64_t b_stride, T* c,
                int64_t c_stride) {
  Register<T> sums[kRows][kRegisters];
#pragma GCC unroll 16
  for (int64_t i = 0; i < kRows * kRegisters; ++i) sums[i / kRegisters][i % kRegisters] = Register<T>{};
  for (int64_t p = 0; p < k; ++p) {
    const Register<T>* const row = reinterpret_cast<const Register<T>*>(b + p * b_stride);
#pragma GCC unroll 16
    for (int64_t i = 0; i < kRows * kRegisters; ++i)
      sums[i / kRegisters][i % kRegisters] += a[i / kRegisters * a_row + p * a_column] * row[i % kRegisters];
  }
#pragma GCC unroll 16
  for (int64_t i = 0; i < kRows * kRegisters; ++i)
    reinterpret_cast<Register<T>*>(c + i / kRegisters * c_stride)[i % kRegisters] =
        sums[i / kRegisters][i % kRegisters];
}

// All rows of a strip of columns.
template <class T, int64_t kRegisters>
void small_strip(int64_t m, int64_t k, const T* a, int64_t a_row, int64_t a_column, const T* b,
                 int64_t b_stride, T* c, int64_t c_stride) {
  int64_t i = 0;
  for (; i + kSmallTileRows <= m; i += kSmallTileRows)
    small_tile<T, kSmallTileRows, kRegisters>(k, a + i * a_row, a_row, a_column, b, b_stride,
                                              c + i * c_stride, c_stride);
  for (; i + 4 <= m; i += 4)
    small_tile<T, 4, kRegisters>(k, a + i * a_row, a_row, a_column, b, b_stride, c + i * c_stride, c_stride);
  for (; i < m; ++i)
    small_tile<T, 1, kRegisters>(k, a + i * a_row, a_row, a_column, b, b_stride, c + i * c_stride, c_stride);
}

}  // namespace detail

template <class T>
void small_gemm(int64_t m, int64_t n, int64_t k, GemmOperand<T> a, const T* b, int64_t b_stride, T* c,
                int64_t c_stride) {
  constexpr int64_t kLanes = detail::kLanes<T>;
  const int64_t a_row = a.transposed ? 1 : a.stride, a_column = a.transposed ? a.stride : 1;
  int64_t j = 0;
  for (; j + 2 * kLanes <= n; j += 2 * kLanes)
    detail::small_strip<T, 2>(m, k, a.data, a_row, a_column, b + j, b_stride, c + j, c_stride);
  for (; j + kLanes <= n; j += kLanes)
    detail::small_strip<T, 1>(m, k, a.data, a_row, a_column, b + j, b_stride, c + j, c_stride);
  if (j < n) gemm_on_this_thread<T>(m, n - j, k, a, {b + j, b_stride}, T(0), c + j, c_stride);
}

// to [columns, padded_rows] = from [rows, columns] transposed, zero behind the first `rows` of each row;
// padded_rows is a multiple of 16. In squares of whole registers, because a product that reads registers soon
// after they were written in pieces waits for every piece to reach the cache.
template <class T>
void transpose_padded(const T* from, int64_t stride, int64_t rows, int64_t columns, T* to,
                      int64_t padded_rows) {
  constexpr int64_t kLanes = detail::kLanes<T>;
  using Register = detail::Register<T>;
  const int64_t whole = columns / kLanes * kLanes;
  for (int64_t row = 0; row < padded_rows; row += kLanes) {
    const int64_t left = std::min(kLanes, std::max<int64_t>(rows - row, 0));
    for (int64_t column = 0; column < whole; column += kLanes) {
      Register square[kLanes];
#pragma GCC unroll 16
      for (int64_t i = 0; i < kLanes; ++i)
        square[i] =
            i < left ? *reinterpret_cast<const Register*>(from + (row + i) * stride + column) : Register{};
      detail::transpose_square<T>(square);
#pragma GCC unroll 16
      for (int64_t i = 0; i < kLanes; ++i)
        *reinterpret_cast<Register*>(to + (column + i) * padded_rows + row) = square[i];
    }
    for (int64_t column = whole; column < columns; ++column)
      for (int64_t i = 0; i < kLanes; ++i)
        to[column * padded_rows + row + i] = i < left ? from[(row + i) * stride + column] : T(0);
  }
}

}  // namespace limoe
