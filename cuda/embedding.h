// embedding on the device; ops/embedding.h says what it is. T is float or bf16; sums are float.
//
// Forward: a warp copies a row. An id outside the table gives a row of NaN and gets none of the gradient.
// Backward, in a fixed order: places are sorted by id (radix_sort.h), so that those of one id lie together;
// a block adds up a run of 64 sorted places and writes the rows it holds all places of, and partial sums of
// its first and its last row; a block for every row of the table adds up the partial sums of rows that lie
// in several runs, in their order, and writes zeros where there is no place.
#pragma once

#include <cstdint>

#include "cuda/stream.h"
#include "tensor/rows.h"

namespace limoe::cuda {

// y [places, width] = rows of table [rows.count, rows.width]
template <class T>
void embedding_forward(Stream stream, const T* table, const int32_t* ids, T* y, int64_t places, Rows rows);

int64_t embedding_scratch_integers(int64_t places);  // int32
int64_t embedding_scratch_floats(int64_t places, int64_t width);

// dtable [rows.count, rows.width]
template <class T>
void embedding_backward(Stream stream, const int32_t* ids, const T* dy, T* dtable, int64_t places, Rows rows,
                        int32_t* integers, float* floats);

}  // namespace limoe::cuda
