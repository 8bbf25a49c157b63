#include "ops/gemm.h"

#include <algorithm>

#include "ops/eigen_maps.h"
#include "ops/gemm_tile.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"

namespace limoe {
namespace {

constexpr int64_t kLeastTile = 96;       // rows or columns, for more than one thread
constexpr int64_t kTilesPerThread = 4;   // so that one thread's delay is shared by all
constexpr int64_t kMatrixTiles = 32;     // rows and columns of C that matrix tiles hold (ops/gemm_amx.cpp)
constexpr int64_t kLeastWork = 1 << 18;  // multiply-adds worth waking a thread for

// As many tiles for each thread, all but the last whole times `whole`, the rows or columns of the
// micro-kernel's tile. How C is cut does not show in the bits.
int64_t tile_length(int64_t length, int64_t whole) {
  const int64_t threads = thread_count();
  if (threads == 1) return length;
  const int64_t each = std::clamp<int64_t>(length / kLeastTile / threads, 1, kTilesPerThread);
  return run_count(std::max(run_count(length, each * threads), kLeastTile), whole) * whole;
}

// C is too small for as many tiles as a large machine has threads, and k is long enough to be cut instead.
constexpr int64_t kMostKRuns = 16, kLeastKRun = 512;
bool worth_cutting_k(int64_t m, int64_t n, int64_t k) {
  return std::max(m, n) < 8 * kLeastTile && k >= 4 * kLeastKRun;
}

// C += the sum over runs of k, each run into a matrix of its own first.
template <class T>
void gemm_over_k(int64_t m, int64_t n, int64_t k, GemmOperand<T> a, GemmOperand<T> b, T beta, T* c,
                 int64_t c_stride, const T* bias, MatmulPrecision precision) {
  const int64_t k_run = std::max(kLeastKRun, run_count(k, kMostKRuns)), runs = run_count(k, k_run);
  Tensor partials = empty({runs, m, n}, dtype_of<T>);
  T* const partial = partials.mutable_data<T>();
  const T* const read = partial;
  parallel_for(k, k_run, [&](int64_t begin, int64_t end) {
    gemm_on_this_thread<T>(m, n, end - begin, a.from(0, begin), b.from(begin, 0), T(0),
                           partial + begin / k_run * m * n, n, nullptr, precision);
  });
  parallel_for(m, rows_per_run(n * runs), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      auto sum = as_row(c + row * c_stride, n);
      if (bias)
        sum = as_row(bias, n);
      else if (beta == T(0))
        sum.setZero();
      for (int64_t run = 0; run < runs; ++run) sum += as_row(read + (run * m + row) * n, n);
    }
  });
}

}  // namespace

template <class T>
void gemm(int64_t m, int64_t n, int64_t k, GemmOperand<T> a, GemmOperand<T> b, T beta, T* c, int64_t c_stride,
          const T* bias, MatmulPrecision precision) {
  if (m * n * k < kLeastWork) return gemm_on_this_thread(m, n, k, a, b, beta, c, c_stride, bias, precision);
  if (worth_cutting_k(m, n, k)) return gemm_over_k(m, n, k, a, b, beta, c, c_stride, bias, precision);
  const bool in_tiles = precision == MatmulPrecision::bf16;
  if (m >= n)
    parallel_for(m, tile_length(m, in_tiles ? kMatrixTiles : detail::kTileRows),
                 [&](int64_t begin, int64_t end) {
                   gemm_on_this_thread(end - begin, n, k, a.from(begin, 0), b, beta, c + begin * c_stride,
                                       c_stride, bias, precision);
                 });
  else
    parallel_for(n, tile_length(n, in_tiles ? kMatrixTiles : detail::kTileColumns<T>),
                 [&](int64_t begin, int64_t end) {
                   gemm_on_this_thread(m, end - begin, k, a, b.from(0, begin), beta, c + begin, c_stride,
                                       bias ? bias + begin : bias, precision);
                 });
}

template void gemm(int64_t, int64_t, int64_t, GemmOperand<float>, GemmOperand<float>, float, float*, int64_t,
                   const float*, MatmulPrecision);
template void gemm(int64_t, int64_t, int64_t, GemmOperand<double>, GemmOperand<double>, double, double*,
                   int64_t, const double*, MatmulPrecision);

}  // namespace limoe
