// Products of matrices that lie in tiles (ops/amx_pack.h), by Intel's Advanced Matrix Extensions. A tile is
// 16 rows of 64 bytes; one instruction multiplies a tile of A [16, 32] with one of B [32, 16] and adds to a
// tile of C [16, 16] in f32.
//
// Four tiles of C stay in registers: two tiles of A and two of B are loaded for four multiplications, which
// take twice as long as the loads.
//
// For the .cpp files of ops, in builds for x86-64-v4.
#pragma once

#include <algorithm>
#include <cstring>

#include "ops/amx_pack.h"

namespace limoe::detail {

constexpr int64_t kBlockSide = 2 * kSide;  // of C, in registers

// Intrinsics of tiles say nothing to the compiler about the memory they read and write.
inline void memory_is_read_and_written() {
  asm volatile("" ::: "memory");
}

// Tile registers: 0..3 the tiles of C, row by row, 4 and 5 of A, 6 and 7 of B, all of full size.
LIMOE_TILES inline void configure_tiles() {
  struct alignas(64) {
    uint8_t palette = 1, start_row = 0, reserved[14] = {};
    uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
  } const config;
  memory_is_read_and_written();
  _tile_loadconfig(&config);
}

LIMOE_TILES inline void release_tiles() {
  _tile_release();
}

// At most kBlockSide rows and columns of C and the tiles that go into them.
struct Block {
  const bf16 *a, *b;
  int64_t steps;                 // tiles along k
  const float* start = nullptr;  // what the sums start from; null: 0
  int64_t start_stride = 0;      // 0: the same for every row
  float* c;
  int64_t c_stride;
  bool fetches_ahead = false;  // the piece of C below
};

// A tile of C, into the second-level cache.
inline void fetch_ahead(const float* c, int64_t stride) {
  constexpr int kToRead = 0, kSecondLevel = 2;
  for (int64_t i = 0; i < kSide; ++i) __builtin_prefetch(c + i * stride, kToRead, kSecondLevel);
}

#define LIMOE_LOAD(tile, from, stride) _tile_loadd(tile, (from), size_t(stride) * sizeof(*(from)))

template <bool kTwoRows, bool kTwoColumns>
LIMOE_TILES void multiply(const Block& of) {
  const int64_t next = of.steps * kTileElements;
  const int64_t row_bytes = of.c_stride * int64_t(sizeof(float));
  if (of.fetches_ahead) {
    const float* const below = of.c + kBlockSide * of.c_stride;
    for (int i = 0; i < (kTwoRows ? 2 : 1); ++i)
      for (int j = 0; j < (kTwoColumns ? 2 : 1); ++j)
        fetch_ahead(below + i * kSide * of.c_stride + j * kSide, of.c_stride);
  }
  memory_is_read_and_written();
  if (of.start) {
    const float* const below = of.start + kSide * of.start_stride;
    LIMOE_LOAD(0, of.start, of.start_stride);
    if (kTwoColumns) LIMOE_LOAD(1, of.start + kSide, of.start_stride);
    if (kTwoRows) LIMOE_LOAD(2, below, of.start_stride);
    if (kTwoRows && kTwoColumns) LIMOE_LOAD(3, below + kSide, of.start_stride);
  } else {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
  }
  for (int64_t step = 0; step < of.steps; ++step) {
    const bf16 *const a = of.a + step * kTileElements, *const b = of.b + step * kTileElements;
    LIMOE_LOAD(4, a, kDepth);
    LIMOE_LOAD(6, b, kDepth);
    _tile_dpbf16ps(0, 4, 6);
    if (kTwoColumns) {
      LIMOE_LOAD(7, b + next, kDepth);
      _tile_dpbf16ps(1, 4, 7);
    }
    if (kTwoRows) {
      LIMOE_LOAD(5, a + next, kDepth);
      _tile_dpbf16ps(2, 5, 6);
      if (kTwoColumns) _tile_dpbf16ps(3, 5, 7);
    }
  }
  float* const below = of.c + kSide * of.c_stride;
  _tile_stored(0, of.c, row_bytes);
  if (kTwoColumns) _tile_stored(1, of.c + kSide, row_bytes);
  if (kTwoRows) _tile_stored(2, below, row_bytes);
  if (kTwoRows && kTwoColumns) _tile_stored(3, below + kSide, row_bytes);
  memory_is_read_and_written();
}

#undef LIMOE_LOAD

inline void multiply(const Block& of, int64_t rows, int64_t columns) {
  if (rows > kSide)
    (columns > kSide ? multiply<true, true> : multiply<true, false>)(of);
  else
    (columns > kSide ? multiply<false, true> : multiply<false, false>)(of);
}

inline void copy_rows(const float* from, int64_t from_stride, int64_t rows, int64_t columns, float* to,
                      int64_t to_stride) {
  for (int64_t i = 0; i < rows; ++i)
    std::memcpy(to + i * to_stride, from + i * from_stride, size_t(columns) * sizeof(float));
}

// Tiles are read and written whole, so a piece of C that is not is worked on in a copy.
inline void multiply_edge(Block of, int64_t rows, int64_t columns) {
  alignas(64) float copy[kBlockSide * kBlockSide] = {};
  if (of.start) copy_rows(of.start, of.start_stride, rows, columns, copy, kBlockSide);
  float* const c = of.c;
  const int64_t c_stride = of.c_stride;
  of.c = copy;
  of.c_stride = kBlockSide;
  if (of.start) {
    of.start = copy;
    of.start_stride = kBlockSide;
  }
  multiply(of, rows, columns);
  copy_rows(copy, kBlockSide, rows, columns, c, c_stride);
}

// All of C [rows, columns] that the tiles of A and of B give. Where a size is no whole number of tiles, those
// of A or B must be filled up, C need not.
inline void multiply_blocks(int64_t rows, int64_t columns, const Block& all) {
  for (int64_t row = 0; row < rows; row += kBlockSide)
    for (int64_t column = 0; column < columns; column += kBlockSide) {
      Block of = all;
      of.a += row / kSide * all.steps * kTileElements;
      of.b += column / kSide * all.steps * kTileElements;
      if (of.start) of.start += row * all.start_stride + column;
      of.c += row * all.c_stride + column;
      const int64_t height = std::min(kBlockSide, rows - row), width = std::min(kBlockSide, columns - column);
      const bool whole = height % kSide == 0 && width % kSide == 0;
      whole ? multiply(of, height, width) : multiply_edge(of, height, width);
    }
}

}  // namespace limoe::detail
