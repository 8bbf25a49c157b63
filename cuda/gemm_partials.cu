#include "cuda/elementwise.cuh"
#include "cuda/gemm_kernel.cuh"
#include "cuda/gemm_partials.h"

namespace limoe::cuda {

// Lanes stride over runs of 8 columns, of every row of every batch.
template <class T, class Out>
__global__ void sum_gemm_partials_kernel(const float* partials, int pieces, int64_t batch,
                                         int64_t batch_stride, TileOutput<T, Out> output) {
  constexpr int kCount = 8;
  const int64_t m = output.rows, n = output.columns;
  const int64_t runs = (n + kCount - 1) / kCount, items = batch * m * runs;
  const bool packed = n % kCount == 0;
  for (int64_t item = first_item(); item < items; item += item_stride()) {
    const int64_t row = item / runs, column = item % runs * kCount;  // row counts through all batches
    const int left = int(n - column);
    float sum[kCount] = {}, part[kCount];
    for (int piece = 0; piece < pieces; ++piece) {
      read_values(partials + (piece * batch * m + row) * n + column, packed, left, part);
      for (int i = 0; i < kCount; ++i) sum[i] += part[i];
    }
    TileOutput<T, Out> to = output;
    const int64_t moved = row / m * batch_stride;
    to.c += moved;
    if (to.before_gelu) to.before_gelu += moved;
    if (to.residual) to.residual += moved;
    to.put(int(row % m), int(column), sum);
  }
}

template <class T, class Out>
void sum_gemm_partials(Stream stream, GemmShape shape, const float* partials, int64_t pieces,
                       GemmOutput<Out> c, GemmEpilogue<T, Out> epilogue) {
  launch<sum_gemm_partials_kernel<T, Out>>(
      stream, elementwise_shape(shape.batch * shape.m * blocks_for(shape.n, 8)), partials, int(pieces),
      shape.batch, c.batch_stride, tile_output<T, Out>(shape, c, epilogue));
}

template void sum_gemm_partials(Stream, GemmShape, const float*, int64_t, GemmOutput<float>,
                                GemmEpilogue<float, float>);
template void sum_gemm_partials(Stream, GemmShape, const float*, int64_t, GemmOutput<bf16>,
                                GemmEpilogue<bf16, bf16>);
template void sum_gemm_partials(Stream, GemmShape, const float*, int64_t, GemmOutput<float>,
                                GemmEpilogue<bf16, float>);

}  // namespace limoe::cuda
