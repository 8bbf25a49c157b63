// gemm_by_tiles(): Intel's Advanced Matrix Extensions. A tile is 16 rows of 64 bytes; one instruction
// multiplies a tile of A [16, 32] with one of B [32, 16] and adds to a tile of C [16, 16] in f32. B lies in
// pairs along k: row q of its tile holds (b[2q, j], b[2q + 1, j]) for 16 columns j.
//
// Four tiles of C stay in registers: two tiles of A and two of B are loaded for four multiplications, which
// take twice as long as the loads. Blocks of A and panels of B are rounded into tiles that fit the
// second-level cache. An operand whose memory runs along k fills a row of pairs with one conversion of 32
// elements, one that runs across takes two rows of k and interleaves them; which of them is A and which B
// decides whether 16 such rows are turned around.
//
// Part of builds for x86-64-v4, run where the processor has tiles as well: these functions name their target.
#include "ops/gemm_bf16.h"
#include "tensor/error.h"

#if defined(__AVX512BW__) && defined(__linux__)

#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "tensor/bf16.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"

#define LIMOE_TILES __attribute__((target("avx512bf16,amx-tile,amx-bf16")))

namespace limoe {
namespace {

constexpr int64_t kSide = 16, kDepth = 32;  // rows or columns of a tile; how much of k is in it
constexpr int64_t kTileElements = kSide * kDepth;
constexpr int64_t kBlockSide = 2 * kSide;  // of C, in registers
constexpr int64_t kMostDepth = 512, kMostRows = 256, kMostColumns = 512;

// Intrinsics of tiles say nothing to the compiler about the memory they read and write.
inline void memory_is_read_and_written() {
  asm volatile("" ::: "memory");
}

// Tile registers: 0..3 the tiles of C, row by row, 4 and 5 of A, 6 and 7 of B, all of full size.
LIMOE_TILES void configure_tiles() {
  struct alignas(64) {
    uint8_t palette = 1, start_row = 0, reserved[14] = {};
    uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
  } const config;
  memory_is_read_and_written();
  _tile_loadconfig(&config);
}

LIMOE_TILES void release_tiles() {
  _tile_release();
}

LIMOE_TILES __mmask16 first_lanes(int64_t lanes) {
  return __mmask16(lanes >= 16 ? 0xffff : lanes <= 0 ? 0 : (1u << lanes) - 1);
}

// to[i] = pairs (x[i, 2q], x[i, 2q + 1]) for 16 q, of an x whose rows lie in memory. What is outside is 0.
LIMOE_TILES void load_along(const float* x, int64_t stride, int64_t lines, int64_t depth, __m512i* to) {
  const __mmask16 first = first_lanes(depth), second = first_lanes(depth - 16);
  for (int64_t i = 0; i < lines; ++i) {
    const __m512 low = _mm512_maskz_loadu_ps(first, x + i * stride);
    const __m512 high = _mm512_maskz_loadu_ps(second, x + i * stride + 16);
    to[i] = (__m512i)_mm512_cvtne2ps_pbh(high, low);
  }
  for (int64_t i = lines; i < kSide; ++i) to[i] = _mm512_setzero_si512();
}

// to[q] = pairs (x[i, 2q], x[i, 2q + 1]) for 16 i, of an x whose columns lie in memory.
LIMOE_TILES void load_across(const float* x, int64_t stride, int64_t lines, int64_t depth, __m512i* to) {
  alignas(64) static constexpr uint16_t kInterleaved[32] = {0,  16, 1,  17, 2,  18, 3,  19, 4,  20, 5,
                                                            21, 6,  22, 7,  23, 8,  24, 9,  25, 10, 26,
                                                            11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  const __m512i interleaved = _mm512_load_si512(kInterleaved);
  const __mmask16 mask = first_lanes(lines), none = 0;
  for (int64_t q = 0; q < kSide; ++q) {
    const int64_t p = 2 * q;
    const __m512 even = _mm512_maskz_loadu_ps(p < depth ? mask : none, x + p * stride);
    const __m512 odd = _mm512_maskz_loadu_ps(p + 1 < depth ? mask : none, x + (p + 1) * stride);
    to[q] = _mm512_permutexvar_epi16(interleaved, (__m512i)_mm512_cvtne2ps_pbh(odd, even));
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
LIMOE_TILES void transpose(__m512i* rows) {
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

int64_t tiles_of(int64_t length, int64_t side) {
  return run_count(length, side);
}

// Tiles of `of`, those of the first 16 lines one behind the other, then those of the next. A tile of A has a
// line in each row, one of B a pair of k.
LIMOE_TILES void pack(const Source& of, bool lines_are_rows, bf16* to) {
  __m512i rows[kSide];
  for (int64_t line = 0; line < of.lines; line += kSide)
    for (int64_t p = 0; p < of.depth; p += kDepth, to += kTileElements) {
      const int64_t lines = std::min(kSide, of.lines - line), depth = std::min(kDepth, of.depth - p);
      (of.along_k ? load_along : load_across)(of.at(line, p), of.stride, lines, depth, rows);
      if (of.along_k != lines_are_rows) transpose(rows);
      for (int64_t i = 0; i < kSide; ++i) _mm512_store_si512(to + i * kDepth, rows[i]);
    }
}

// At most kBlockSide rows and columns of C and the tiles that go into them.
struct Block {
  const bf16 *a, *b;
  int64_t steps;       // tiles along k
  const float* start;  // what the sums start from; null: 0
  int64_t start_stride;
  float* c;
  int64_t c_stride;
  const bf16* next_b;  // tiles that are needed next, fetched meanwhile
  const float* next_c;
};

// 16 lines of the cache, `stride` bytes apart.
template <int kLocality>
inline void prefetch_lines(const void* from, int64_t stride) {
  for (int64_t i = 0; i < kSide; ++i)
    __builtin_prefetch(static_cast<const char*>(from) + i * stride, 0, kLocality);
}

#define LIMOE_LOAD(tile, from, stride) _tile_loadd(tile, (from), size_t(stride) * sizeof(*(from)))

template <bool kTwoRows, bool kTwoColumns>
LIMOE_TILES void multiply(const Block& of) {
  const int64_t next = of.steps * kTileElements;
  const int64_t row_bytes = of.c_stride * int64_t(sizeof(float));
  for (int i = 0; i < (kTwoRows ? 2 : 1); ++i)
    for (int j = 0; j < (kTwoColumns ? 2 : 1); ++j)
      prefetch_lines<2>(of.next_c + i * kSide * of.c_stride + j * kSide, row_bytes);
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

void multiply(const Block& of, int64_t rows, int64_t columns) {
  if (rows > kSide)
    (columns > kSide ? multiply<true, true> : multiply<true, false>)(of);
  else
    (columns > kSide ? multiply<false, true> : multiply<false, false>)(of);
}

void copy_rows(const float* from, int64_t from_stride, int64_t rows, int64_t columns, float* to,
               int64_t to_stride) {
  for (int64_t i = 0; i < rows; ++i)
    std::memcpy(to + i * to_stride, from + i * from_stride, size_t(columns) * sizeof(float));
}

// Tiles are read and written whole, so a piece of C that is not is worked on in a copy.
void multiply_edge(Block of, int64_t rows, int64_t columns) {
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

// All of C that one block of A and one panel of B give.
void multiply_blocks(int64_t rows, int64_t columns, const Block& all) {
  for (int64_t row = 0; row < rows; row += kBlockSide)
    for (int64_t column = 0; column < columns; column += kBlockSide) {
      Block of = all;
      of.a += row / kSide * all.steps * kTileElements;
      of.b += column / kSide * all.steps * kTileElements;
      if (of.start) of.start += row * all.start_stride + column;
      of.c += row * all.c_stride + column;
      const bool last = column + kBlockSide >= columns;
      of.next_b = last ? all.b : of.b + 2 * all.steps * kTileElements;
      of.next_c = of.c + kBlockSide * all.c_stride;
      const int64_t height = std::min(kBlockSide, rows - row), width = std::min(kBlockSide, columns - column);
      const bool whole = height % kSide == 0 && width % kSide == 0;
      whole ? multiply(of, height, width) : multiply_edge(of, height, width);
    }
}

// `length` in pieces of at most `longest`, each but the last a whole number of `side`.
int64_t piece_of(int64_t length, int64_t longest, int64_t side) {
  return run_count(run_count(length, std::max<int64_t>(run_count(length, longest), 1)), side) * side;
}

bool tiles_can_be_used() {
  constexpr long kAskForState = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM of asm/prctl.h; its number
  constexpr unsigned kBf16OfTiles = 1u << 22, kTiles = 1u << 24, kBf16OfVectors = 1u << 5;
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(d & kBf16OfTiles) || !(d & kTiles)) return false;
  if (!__get_cpuid_count(7, 1, &a, &b, &c, &d) || !(a & kBf16OfVectors)) return false;
  return syscall(SYS_arch_prctl, kAskForState, kTileData) == 0;
}

}  // namespace

bool bf16_products_are_fast() {
  static const bool can_be = tiles_can_be_used();
  return can_be;
}

void detail::gemm_by_tiles(int64_t m, int64_t n, int64_t k, GemmOperand<float> a, GemmOperand<float> b,
                           float beta, float* c, int64_t c_stride, const float* bias) {
  const int64_t rows = piece_of(m, kMostRows, kBlockSide), columns = piece_of(n, kMostColumns, kBlockSide),
                depth = piece_of(k, kMostDepth, kDepth);
  Tensor block = empty({rows * depth}, DType::bf16), panel = empty({columns * depth}, DType::bf16);
  bf16 *const of_a = block.mutable_data<bf16>(), *const of_b = panel.mutable_data<bf16>();
  configure_tiles();
  const int64_t runs = k == 0 ? 1 : run_count(k, depth);
  for (int64_t run = 0; run < runs; ++run) {
    const int64_t p = run * depth, deep = std::min(depth, k - p);
    const bool add = p > 0 || beta != 0;
    for (int64_t column = 0; column < n; column += columns) {
      const int64_t wide = std::min(columns, n - column);
      pack({b.from(p, column).data, b.stride, b.transposed, wide, deep}, false, of_b);
      for (int64_t row = 0; row < m; row += rows) {
        const int64_t high = std::min(rows, m - row);
        pack({a.from(row, p).data, a.stride, !a.transposed, high, deep}, true, of_a);
        float* const to = c + row * c_stride + column;
        multiply_blocks(high, wide,
                        {.a = of_a,
                         .b = of_b,
                         .steps = tiles_of(deep, kDepth),
                         .start = add    ? to
                                  : bias ? bias + column
                                         : nullptr,
                         .start_stride = add ? c_stride : 0,
                         .c = to,
                         .c_stride = c_stride,
                         .next_b = nullptr,
                         .next_c = nullptr});
      }
    }
  }
  release_tiles();
}

}  // namespace limoe

#else

namespace limoe {

bool bf16_products_are_fast() {
  return false;
}

void detail::gemm_by_tiles(int64_t, int64_t, int64_t, GemmOperand<float>, GemmOperand<float>, float, float*,
                           int64_t, const float*) {
  throw ValueError("gemm: this processor has no matrix tiles");
}

}  // namespace limoe

#endif
