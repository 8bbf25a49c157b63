// The experts' linear layers on the device; formulas and shapes are in ops/grouped_linear.h. T is float or
// bf16; sums are float.
//
// row_begin [experts + 1] is read by the kernels alone, so the grid is made for the most tiles there can be:
// rows / tile + experts + 1; a block finds its expert by walking over row_begin, and blocks behind the last
// tile return at once. A row_begin that descends or passes the end of the buffer is cut to fit: values are
// then wrong, but nothing is written outside. Tiles are those of cuda/gemm.h.
#pragma once

#include <cstdint>

#include "cuda/gemm_plan.h"
#include "cuda/stream.h"

namespace limoe::cuda {

struct GroupedShape {
  int64_t experts, rows, inputs, outputs;
  GemmTile tile = GemmTile::automatic;
};

template <class T>
void grouped_linear_forward(Stream stream, GroupedShape shape, const T* rows, const T* kernel, const T* bias,
                            const int32_t* row_begin, T* y);

template <class T>
void grouped_linear_backward_rows(Stream stream, GroupedShape shape, const T* kernel,
                                  const int32_t* row_begin, const T* dy, T* drows);

template <class T>
void grouped_linear_backward_kernel(Stream stream, GroupedShape shape, const T* rows,
                                    const int32_t* row_begin, const T* dy, T* dkernel);

// partials: f32 [grouped_bias_runs(shape), outputs].
int64_t grouped_bias_runs(GroupedShape shape);
template <class T>
void grouped_linear_backward_bias(Stream stream, GroupedShape shape, const int32_t* row_begin, const T* dy,
                                  float* partials, T* dbias);

}  // namespace limoe::cuda
