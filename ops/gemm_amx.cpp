// gemm_by_tiles(): blocks of A and panels of B are rounded into tiles (ops/amx_pack.h) that fit the
// second-level cache, and multiplied there (ops/amx_multiply.h).
//
// Part of builds for x86-64-v4, run where the processor has tiles as well: these functions name their target.
#include "ops/gemm_bf16.h"
#include "tensor/error.h"

#if defined(__AVX512BW__) && defined(__linux__)

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "ops/amx_multiply.h"
#include "tensor/bf16.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"

namespace limoe {
namespace {

using namespace detail;

constexpr int64_t kMostDepth = 512, kMostRows = 256, kMostColumns = 512;

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
                         .fetches_ahead = true});
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
