// gemm_on_this_thread(): blocks of k whose panels of B fit the first-level cache, under them blocks of rows
// whose piece of A fits the second, under them strips of C as wide as a tile.
//
// A is read where it lies. So is B when the rows are too few to pay for a panel's packing.
#include <algorithm>
#include <cstring>

#include "ops/gemm.h"
#include "ops/gemm_pack.h"
#include "tensor/parallel.h"

namespace limoe {
namespace {

using namespace detail;

constexpr int64_t kMostDepth = 384;
constexpr int64_t kMostRows = 384;
constexpr int64_t kMostRowsUnpacked = 2 * kTileRows;

// Where op(X)'s element (row, column) lies.
template <class T>
GemmOperand<T> from(GemmOperand<T> x, int64_t row, int64_t column) {
  x.data += x.transposed ? column * x.stride + row : row * x.stride + column;
  return x;
}

// A tile whose columns end inside a register is computed beside C.
template <class T>
void edge_tile(TileBody<T> body, TileOperands<T> of, int64_t rows, int64_t width) {
  constexpr int64_t kColumns = kTileColumns<T>;
  alignas(64) T whole[kTileRows * kColumns];
  for (int64_t i = 0; i < rows; ++i) {
    std::memcpy(whole + i * kColumns, of.start + i * of.start_stride, width * sizeof(T));
    std::memset(whole + i * kColumns + width, 0, (kColumns - width) * sizeof(T));
  }
  T* const c = of.c;
  const int64_t c_stride = of.c_stride;
  of.start = of.c = whole;
  of.start_stride = of.c_stride = kColumns;
  body(of);
  for (int64_t i = 0; i < rows; ++i) std::memcpy(c + i * c_stride, whole + i * kColumns, width * sizeof(T));
}

// One strip, in tiles of as even a height as can be: two tiles of 8 rows are faster than one of 14 and one
// of 2.
template <class T>
void strip(TileOperands<T> of, int64_t rows, int64_t width) {
  const int64_t tiles = run_count(rows, kTileRows), registers = run_count(width, kLanes<T>);
  const TileOperands<T> all = of;
  for (int64_t tile = 0; tile < tiles; ++tile) {
    const int64_t begin = rows * tile / tiles, end = rows * (tile + 1) / tiles;
    of.a = all.a + begin * all.a_row;
    of.start = all.start + begin * all.start_stride;
    of.c = all.c + begin * all.c_stride;
    const TileBody<T> body = tile_body<T>(end - begin, registers);
    if (width % kLanes<T> == 0)
      body(of);
    else
      edge_tile(body, of, end - begin, width);
  }
}

// C += or = the product over one run of k, for rows that fit.
template <class T>
void multiply_block(int64_t rows, int64_t n, int64_t depth, GemmOperand<T> a, GemmOperand<T> b, bool add,
                    T* c, int64_t c_stride) {
  constexpr int64_t kColumns = kTileColumns<T>;
  alignas(64) static constexpr T kZeros[kColumns] = {};
  alignas(64) T panel[kMostDepth * kColumns];
  for (int64_t j = 0; j < n; j += kColumns) {
    const int64_t width = std::min(kColumns, n - j);
    const GemmOperand<T> columns = from(b, 0, j);
    TileOperands<T> of{.k = depth,
                       .a = a.data,
                       .a_row = a.transposed ? 1 : a.stride,
                       .a_column = a.transposed ? a.stride : 1,
                       .b = columns.data,
                       .b_stride = b.stride,
                       .start = add ? c + j : kZeros,
                       .start_stride = add ? c_stride : 0,
                       .c = c + j,
                       .c_stride = c_stride};
    if (b.transposed || rows > kMostRowsUnpacked || width % kLanes<T> != 0) {
      pack_panel(columns, depth, width, panel);
      of.b = panel;
      of.b_stride = kColumns;
    }
    strip(of, rows, width);
  }
}

}  // namespace

template <class T>
void gemm_on_this_thread(int64_t m, int64_t n, int64_t k, GemmOperand<T> a, GemmOperand<T> b, T beta, T* c,
                         int64_t c_stride) {
  const int64_t row_blocks = run_count(m, kMostRows), depths = std::max<int64_t>(run_count(k, kMostDepth), 1);
  for (int64_t block = 0; block < row_blocks; ++block) {
    const int64_t row = m * block / row_blocks, end = m * (block + 1) / row_blocks;
    for (int64_t run = 0; run < depths; ++run) {
      const int64_t p = k * run / depths;
      multiply_block(end - row, n, k * (run + 1) / depths - p, from(a, row, p), from(b, p, 0),
                     run > 0 || beta != T(0), c + row * c_stride, c_stride);
    }
  }
}

template void gemm_on_this_thread(int64_t, int64_t, int64_t, GemmOperand<float>, GemmOperand<float>, float,
                                  float*, int64_t);
template void gemm_on_this_thread(int64_t, int64_t, int64_t, GemmOperand<double>, GemmOperand<double>, double,
                                  double*, int64_t);

}  // namespace limoe
