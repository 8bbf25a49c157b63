// Matrices of f32, rounded to bf16 in tiles as matrix instructions take them (ops/amx_multiply.h).
//
// A tile holds 16 lines (rows of A, columns of B) of 32 elements along k. In one of A each line is a row of
// 16 pairs along k; in one of B each row holds one pair of all 16 lines. A matrix whose memory runs along k
// gives a line's pairs with one conversion of 32 elements, one that runs across k gives one pair of 16 lines
// by interleaving two conversions; where that is not what the tile wants, 16 such rows are turned around.
//
// For the .cpp files of ops, in builds for x86-64-v4.
#pragma once

#include <immintrin.h>

#include <algorithm>

#include "tensor/bf16.h"

#define LIMOE_TILES __attribute__((target("avx512bf16,amx-tile,amx-bf16")))

namespace limoe::detail {

constexpr int64_t kSide = 16, kDepth = 32;  // of a tile: lines, elements along k
constexpr int64_t kTileElements = kSide * kDepth;

LIMOE_TILES inline __mmask16 first_lanes(int64_t lanes) {
  return __mmask16(lanes >= 16 ? 0xffff : lanes <= 0 ? 0 : (1u << lanes) - 1);
}

// to[i] = pairs (x[i, 2q], x[i, 2q + 1]) for 16 q, of an x whose rows lie in memory. What is outside is 0.
LIMOE_TILES inline void load_along(const float* x, int64_t stride, int64_t lines, int64_t depth,
                                   __m512i* to) {
  const __mmask16 first = first_lanes(depth), second = first_lanes(depth - 16);
  for (int64_t i = 0; i < lines; ++i) {
    for (int64_t half = 0; half < 2; ++half) __builtin_prefetch(x + (i + kSide) * stride + half * 16);
    const __m512 low = _mm512_maskz_loadu_ps(first, x + i * stride);
    const __m512 high = _mm512_maskz_loadu_ps(second, x + i * stride + 16);
    to[i] = (__m512i)_mm512_cvtne2ps_pbh(high, low);
  }
  for (int64_t i = lines; i < kSide; ++i) to[i] = _mm512_setzero_si512();
}

// (even[i], odd[i]) for 16 i.
LIMOE_TILES inline __m512i pairs_of(__m512 even, __m512 odd) {
  alignas(64) static constexpr uint16_t kInterleaved[32] = {0,  16, 1,  17, 2,  18, 3,  19, 4,  20, 5,
                                                            21, 6,  22, 7,  23, 8,  24, 9,  25, 10, 26,
                                                            11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  return _mm512_permutexvar_epi16(_mm512_load_si512(kInterleaved), (__m512i)_mm512_cvtne2ps_pbh(odd, even));
}

// to[q] = pairs (x[i, 2q], x[i, 2q + 1]) for 16 i, of an x whose columns lie in memory.
LIMOE_TILES inline void load_across(const float* x, int64_t stride, int64_t lines, int64_t depth,
                                    __m512i* to) {
  const __mmask16 mask = first_lanes(lines), none = 0;
  for (int64_t q = 0; q < kSide; ++q) {
    const int64_t p = 2 * q;
    for (const int64_t later : {p + kDepth, p + kDepth + 1}) __builtin_prefetch(x + later * stride);
    const __m512 even = _mm512_maskz_loadu_ps(p < depth ? mask : none, x + p * stride);
    const __m512 odd = _mm512_maskz_loadu_ps(p + 1 < depth ? mask : none, x + (p + 1) * stride);
    to[q] = pairs_of(even, odd);
  }
}

typedef int32_t Lanes __attribute__((vector_size(64), may_alias));

#define LIMOE_SHUFFLED(a, b, ...) (__m512i) __builtin_shufflevector((Lanes)(a), (Lanes)(b), __VA_ARGS__)

// The even units of 128 bits of a, then those of b; the odd ones.
LIMOE_TILES inline __m512i even_units(__m512i a, __m512i b) {
  return LIMOE_SHUFFLED(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27);
}
LIMOE_TILES inline __m512i odd_units(__m512i a, __m512i b) {
  return LIMOE_SHUFFLED(a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
}

// Lane j of rows[i] and lane i of rows[j] change places, for 16 x 16 lanes of 32 bits.
LIMOE_TILES inline void transpose(__m512i* rows) {
  __m512i twos[kSide], fours[kSide];
  for (int i = 0; i < 16; i += 2) {
    twos[i] = LIMOE_SHUFFLED(rows[i], rows[i + 1], 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29);
    twos[i + 1] =
        LIMOE_SHUFFLED(rows[i], rows[i + 1], 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31);
  }
  // fours[4 g + c]: in 128 bits number u, lane 4 u + c of rows 4 g .. 4 g + 3.
  for (int i = 0; i < 16; ++i) {
    const int first = i / 4 * 4 + i % 4 / 2;
    const __m512i a = twos[first], b = twos[first + 2];
    fours[i] = i % 2 == 0 ? LIMOE_SHUFFLED(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29)
                          : LIMOE_SHUFFLED(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
  }
  for (int c = 0; c < 4; ++c) {
    const __m512i low = even_units(fours[c], fours[4 + c]), high = even_units(fours[8 + c], fours[12 + c]);
    const __m512i odd_low = odd_units(fours[c], fours[4 + c]),
                  odd_high = odd_units(fours[8 + c], fours[12 + c]);
    rows[c] = even_units(low, high);
    rows[8 + c] = odd_units(low, high);
    rows[4 + c] = even_units(odd_low, odd_high);
    rows[12 + c] = odd_units(odd_low, odd_high);
  }
}

#undef LIMOE_SHUFFLED

// A matrix of `lines` rows (A) or columns (B) by `depth` of k, in memory along k or across it.
struct Source {
  const float* data;
  int64_t stride;
  bool along_k;
  int64_t lines, depth;

  const float* at(int64_t line, int64_t p) const {
    return data + (along_k ? line * stride + p : p * stride + line);
  }
};

// Tiles of `of`, those of the first 16 lines one behind the other, then those of the next. A tile of A has a
// line in each row, one of B a pair of k.
LIMOE_TILES inline void pack_tile(const Source& of, bool lines_are_rows, int64_t line, int64_t p, bf16* to) {
  __m512i rows[kSide];
  const int64_t lines = std::min(kSide, of.lines - line), depth = std::min(kDepth, of.depth - p);
  (of.along_k ? load_along : load_across)(of.at(line, p), of.stride, lines, depth, rows);
  if (of.along_k != lines_are_rows) transpose(rows);
  for (int64_t i = 0; i < kSide; ++i) _mm512_store_si512(to + i * kDepth, rows[i]);
}

// Memory is read in the order in which it lies, 16 or 32 of its rows at a time.
inline void pack(const Source& of, bool lines_are_rows, bf16* to) {
  const int64_t steps = (of.depth + kDepth - 1) / kDepth;
  const auto tile = [&](int64_t line, int64_t p) {
    pack_tile(of, lines_are_rows, line, p, to + (line / kSide * steps + p / kDepth) * kTileElements);
  };
  if (of.along_k)
    for (int64_t line = 0; line < of.lines; line += kSide)
      for (int64_t p = 0; p < of.depth; p += kDepth) tile(line, p);
  else
    for (int64_t p = 0; p < of.depth; p += kDepth)
      for (int64_t line = 0; line < of.lines; line += kSide) tile(line, p);
}

}  // namespace limoe::detail
