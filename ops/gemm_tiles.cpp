// gemm_by_tiles(): Intel's Advanced Matrix Extensions. A tile is 16 rows of 64 bytes; one instruction
// multiplies a tile of A [16, 32] with one of B [32, 16] and adds to a tile of C [16, 16] in f32. B lies in
// pairs along k: row q of its tile holds (b[2q, j], b[2q + 1, j]) for 16 columns j.
//
// Four tiles of C stay in registers: two tiles of A and two of B are loaded for four multiplications, which
// take twice as long as the loads. Blocks of A and panels of B are rounded into tiles that fit the
// second-level cache (ops/tile_pack.h).
//
// Part of builds for x86-64-v4, run where the processor has tiles as well: these functions name their target.
#include "ops/gemm_bf16.h"
#include "tensor/error.h"

#if defined(__AVX512BW__) && defined(__linux__)

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "ops/tile_pack.h"
#include "tensor/bf16.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"

namespace limoe {
namespace {

using namespace detail;

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

// At most kBlockSide rows and columns of C and the tiles that go into them.
struct Block {
  const bf16 *a, *b;
  int64_t steps;       // tiles along k
  const float* start;  // what the sums start from; null: 0
  int64_t start_stride;
  float* c;
  int64_t c_stride;
  const float* next_c;  // the piece of C below, fetched meanwhile
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
  for (int i = 0; i < (kTwoRows ? 2 : 1); ++i)
    for (int j = 0; j < (kTwoColumns ? 2 : 1); ++j)
      fetch_ahead(of.next_c + i * kSide * of.c_stride + j * kSide, of.c_stride);
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
                         .steps = run_count(deep, kDepth),
                         .start = add    ? to
                                  : bias ? bias + column
                                         : nullptr,
                         .start_stride = add ? c_stride : 0,
                         .c = to,
                         .c_stride = c_stride,
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
