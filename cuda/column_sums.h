// Column sums on the device: sums[column] = the sum of x[row, column] over all rows. T is float or bf16; sums
// are float until they are stored.
//
// Two stages in an order that depends on the shape alone: a block adds up the rows of one run in 32 columns,
// eight warps in step, into partials [column_sum_runs(rows), width]; then the same is done with the runs as
// rows.
#pragma once

#include <cstdint>

#include "cuda/stream.h"
#include "tensor/rows.h"

namespace limoe::cuda {

int64_t column_sum_runs(Rows rows);

template <class T>
void column_sums(Stream stream, const T* x, float* partials, T* sums, Rows rows);

// The second stage by itself: sums[column] = the sum over runs of partials[run, column].
template <class T>
void sum_runs(Stream stream, const float* partials, T* sums, int64_t runs, int64_t width);

}  // namespace limoe::cuda
