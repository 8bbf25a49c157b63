#include "cuda/gemm_warpgroup.cuh"
#include "cuda/grouped_linear.cuh"

namespace limoe::cuda {

template <>
void grouped_linear_forward(Stream stream, GroupedShape shape, const bf16* rows, const bf16* kernel,
                            const bf16* bias, const int32_t* row_begin, bf16* y) {
  grouped_rows_by_size<Bf16Tiles, false>(stream, shape, rows, kernel, bias, row_begin, y);
}

template <>
void grouped_linear_backward_rows(Stream stream, GroupedShape shape, const bf16* kernel,
                                  const int32_t* row_begin, const bf16* dy, bf16* drows) {
  const bf16* const no_bias = nullptr;
  grouped_rows_by_size<Bf16Tiles, true>(stream, shape, dy, kernel, no_bias, row_begin, drows);
}

template <>
void grouped_linear_backward_kernel(Stream stream, GroupedShape shape, const bf16* rows,
                                    const int32_t* row_begin, const bf16* dy, bf16* dkernel) {
  grouped_kernel_gradient_by_size<Bf16Tiles>(stream, shape, rows, row_begin, dy, dkernel);
}

}  // namespace limoe::cuda
