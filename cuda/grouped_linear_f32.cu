#include "cuda/gemm_f32.cuh"
#include "cuda/grouped_linear.cuh"

namespace limoe::cuda {

template <>
void grouped_linear_forward(Stream stream, GroupedShape shape, const float* rows, const float* kernel,
                            const float* bias, const int32_t* row_begin, float* y) {
  grouped_rows_by_size<F32Tiles, false>(stream, shape, rows, kernel, bias, row_begin, y);
}

template <>
void grouped_linear_backward_rows(Stream stream, GroupedShape shape, const float* kernel,
                                  const int32_t* row_begin, const float* dy, float* drows) {
  const float* const no_bias = nullptr;
  grouped_rows_by_size<F32Tiles, true>(stream, shape, dy, kernel, no_bias, row_begin, drows);
}

template <>
void grouped_linear_backward_kernel(Stream stream, GroupedShape shape, const float* rows,
                                    const int32_t* row_begin, const float* dy, float* dkernel) {
  grouped_kernel_gradient_by_size<F32Tiles>(stream, shape, rows, row_begin, dy, dkernel);
}

}  // namespace limoe::cuda
