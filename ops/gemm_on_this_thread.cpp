// gemm_on_this_thread(): blocks of rows whose piece of A fits the second-level cache, under them runs of k
// whose panels of B do, under them strips of C as wide as a tile.
//
// A is read where it lies: a copy would cost what it saves. Not so where it lies transposed in long rows and
// several strips read it: a tile takes a few elements from each of many lines, which share few sets of the
// cache, so it is copied into the order in which tiles read it. B is copied into panels where many rows share
// them or where it lies transposed, anew for each block of rows: kept for all blocks they would come from
// further away than one just written (0.95 to 1.0 of the speed). Few rows read it where it lies: they take it
// from memory once, which is then what their time goes to. A strip crosses as many rows of B as the run of k
// is long, each in a page of its own, and the next strip goes on in the same pages: while they are few, their
// addresses stay in the translation buffer and the processor sees each row as a stream and reads ahead in it.
// So few rows read not too much of B at a time, and of a wide B some columns after the others: a run short
// enough for all of them would mostly load and store sums (0.85 of the speed at 3072 columns). What is needed
// next, of B and of C, is fetched while tiles are computed, row by row.
//
// A C so narrow that half of a register's lanes would be idle, of an A that lies transposed (the gradient of
// a router's kernel), is computed as its transpose.
#include <algorithm>
#include <type_traits>

#include "ops/gemm.h"
#include "ops/gemm_bf16.h"
#include "ops/gemm_pack.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"

namespace limoe {
namespace {

using namespace detail;

constexpr int64_t kMostDepth = 384;
constexpr int64_t kMostRows = 384;
constexpr int64_t kMostRowsInPlace = 100;  // more share panels of B

// More strips share a copy of a transposed A's block, and rows that lie nearer together need none.
constexpr int64_t kFewStrips = 2;
constexpr size_t kBytesApart = 1024;

// A run of k for few rows: so much of B, and so many of its columns.
constexpr int64_t kMostElementsCrossed = 192 << 10;
constexpr int64_t kMostColumnsInPlace = 768;

// Where all of B fits the second-level cache beside them, few rows at a time: C is then written, and A read,
// in the order in which they lie.
constexpr int64_t kMostElementsKept = 1 << 17;
constexpr int64_t kRowsBesideB = 6 * kTileRows;

template <class T>
int64_t rows_of_block(GemmOperand<T> b, int64_t n, int64_t k) {
  return !b.transposed && n * k <= kMostElementsKept ? kRowsBesideB : kMostRows;
}

template <class T>
bool reads_in_place(int64_t m, GemmOperand<T> b) {
  return m <= kMostRowsInPlace && !b.transposed;
}

// The rows that a tile fetches while it is computed.
template <class T>
class RowsAhead {
 public:
  void clear() { count_ = 0; }
  void add(const T* first, int64_t stride, int64_t rows) {
    for (int64_t i = 0; i < rows; ++i) rows_[count_++] = first + i * stride;
  }
  void give_to(TileOperands<T>& of) {
    if (count_ == 0) add(of.c, 0, 1);
    of.ahead = rows_;
    of.ahead_per_step = (uint64_t(count_) << 32) / uint64_t(std::max<int64_t>(of.k, 1));
  }

 private:
  const T* rows_[kMostDepth + kTileRows];
  int64_t count_ = 0;
};

// Where the strip to the right begins; null: there is none, or it needs no fetching.
template <class T>
struct NextStrip {
  const T *b, *c;
  int64_t b_stride;
};

// One strip. Each tile fetches the next one's piece of C, all together the k rows of the next strip's B.
template <class T>
void strip(TileOperands<T> of, const TileCut& cut, bool a_packed, int64_t width, const NextStrip<T>& next) {
  const auto& bodies = tile_bodies<T>(width);
  const TileOperands<T> all = of;
  RowsAhead<T> ahead;
  for (int64_t tile = 0; tile < cut.tiles; ++tile) {
    const int64_t begin = cut.first_row(tile), end = cut.first_row(tile + 1);
    if (a_packed) of.a_column = end - begin;
    of.a = all.a + begin * (a_packed ? all.k : all.a_row);
    of.start = all.start + begin * all.start_stride;
    of.c = all.c + begin * all.c_stride;
    ahead.clear();
    if (tile + 1 < cut.tiles)
      ahead.add(all.c + end * all.c_stride, all.c_stride, cut.first_row(tile + 2) - end);
    else if (next.c)
      ahead.add(next.c, all.c_stride, cut.first_row(1));
    if (next.b) {
      const int64_t p = all.k * tile / cut.tiles;
      ahead.add(next.b + p * next.b_stride, next.b_stride, all.k * (tile + 1) / cut.tiles - p);
    }
    ahead.give_to(of);
    bodies[size_t(end - begin - 1)](of);
  }
}

// C += or = the product over one run of k, for rows that fit. block_of_a: room for a copy of A's block, or
// null.
template <class T>
void multiply_block(int64_t rows, int64_t n, int64_t depth, GemmOperand<T> a, GemmOperand<T> b, const T* bias,
                    bool add, T* c, int64_t c_stride, T* block_of_a) {
  constexpr int64_t kColumns = kTileColumns<T>;
  alignas(64) static constexpr T kZeros[kColumns] = {};
  alignas(64) T panel[kMostDepth * kColumns];
  const TileCut cut(rows);
  if (block_of_a) pack_block_of_columns(a.data, a.stride, depth, cut, block_of_a);
  for (int64_t j = 0; j < n; j += kColumns) {
    const int64_t width = std::min(kColumns, n - j);
    const GemmOperand<T> columns = b.from(0, j);
    const bool packed = !reads_in_place(rows, b) || (!kHasMasks && width % kLanes<T> != 0);
    if (packed) pack_panel(columns, depth, width, panel);
    TileOperands<T> of{.k = depth,
                       .a = block_of_a ? block_of_a : a.data,
                       .a_row = a.transposed ? 1 : a.stride,
                       .a_column = a.transposed ? a.stride : 1,
                       .b = packed ? panel : columns.data,
                       .b_stride = packed ? kColumns : b.stride,
                       .ahead = nullptr,  // strip()'s
                       .ahead_per_step = 0,
                       .start = add    ? c + j
                                : bias ? bias + j
                                       : kZeros,
                       .start_stride = add ? c_stride : 0,
                       .c = c + j,
                       .c_stride = c_stride,
                       .last_lanes = width - (run_count(width, kLanes<T>) - 1) * kLanes<T>};
    NextStrip<T> next{nullptr, nullptr, b.stride};
    if (j + kColumns < n) next.c = of.c + kColumns;
    if (next.c && !b.transposed) next.b = columns.data + kColumns;  // transposed it lies in streams
    strip(of, cut, block_of_a != nullptr, width, next);
  }
}

// Columns of a narrow C, and rows together: so many that their transpose stays in the first-level cache.
template <class T>
constexpr int64_t kNarrow = kLanes<T> / 2;
template <class T>
constexpr int64_t kRowsOfNarrow = 8 * kTileColumns<T>;

template <class T>
GemmOperand<T> transpose_of(const GemmOperand<T>& operand) {
  return {operand.data, operand.stride, !operand.transposed};
}

// C = A B by way of C^T = B^T A^T: an element's sum has the same order, so the bits are those of the product.
template <class T>
void multiply_narrow(int64_t m, int64_t n, int64_t k, GemmOperand<T> a, GemmOperand<T> b, T* c,
                     int64_t c_stride, MatmulPrecision precision) {
  constexpr int64_t kRows = kRowsOfNarrow<T>;
  alignas(64) T across[kNarrow<T> * kRows];
  for (int64_t first = 0; first < m; first += kRows) {
    const int64_t rows = std::min(kRows, m - first);
    gemm_on_this_thread<T>(n, rows, k, transpose_of(b), transpose_of(a.from(first, 0)), T(0), across, kRows,
                           nullptr, precision);
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < n; ++j) c[(first + i) * c_stride + j] = across[j * kRows + i];
  }
}

}  // namespace

template <class T>
void gemm_on_this_thread(int64_t m, int64_t n, int64_t k, GemmOperand<T> a, GemmOperand<T> b, T beta, T* c,
                         int64_t c_stride, const T* bias, MatmulPrecision precision) {
  if constexpr (std::is_same_v<T, float>)
    if (precision == MatmulPrecision::bf16)
      return gemm_bf16_on_this_thread(m, n, k, a, b, beta, c, c_stride, bias);
  if (a.transposed && n <= kNarrow<T> && m >= kTileColumns<T> && beta == T(0) && !bias)
    return multiply_narrow(m, n, k, a, b, c, c_stride, precision);
  const bool in_place = reads_in_place(m, b);
  if (in_place && n > kMostColumnsInPlace) {
    const int64_t strips = run_count(n, kTileColumns<T>), parts = run_count(n, kMostColumnsInPlace);
    for (int64_t part = 0; part < parts; ++part) {
      const int64_t j = strips * part / parts * kTileColumns<T>,
                    end = std::min(n, strips * (part + 1) / parts * kTileColumns<T>);
      gemm_on_this_thread(m, end - j, k, a, b.from(0, j), beta, c + j, c_stride, bias ? bias + j : bias,
                          precision);
    }
    return;
  }
  const int64_t depth =
      in_place ? std::min(kMostElementsCrossed / std::max<int64_t>(n, 1), kMostDepth) : kMostDepth;
  const int64_t row_blocks = run_count(m, rows_of_block(b, n, k)),
                depths = std::max<int64_t>(run_count(k, depth), 1);
  const bool pack_a = a.transposed && a.stride * sizeof(T) >= kBytesApart && m > kTileRows &&
                      n > kFewStrips * kTileColumns<T>;
  Tensor room = empty({pack_a ? run_count(m, row_blocks) * run_count(k, depths) : 0}, dtype_of<T>);
  T* const block_of_a = pack_a ? room.mutable_data<T>() : nullptr;
  for (int64_t block = 0; block < row_blocks; ++block) {
    const int64_t row = m * block / row_blocks, end = m * (block + 1) / row_blocks;
    for (int64_t run = 0; run < depths; ++run) {
      const int64_t p = k * run / depths;
      multiply_block(end - row, n, k * (run + 1) / depths - p, a.from(row, p), b.from(p, 0), bias,
                     run > 0 || beta != T(0), c + row * c_stride, c_stride, block_of_a);
    }
  }
}

template void gemm_on_this_thread(int64_t, int64_t, int64_t, GemmOperand<float>, GemmOperand<float>, float,
                                  float*, int64_t, const float*, MatmulPrecision);
template void gemm_on_this_thread(int64_t, int64_t, int64_t, GemmOperand<double>, GemmOperand<double>, double,
                                  double*, int64_t, const double*, MatmulPrecision);

}  // namespace limoe
