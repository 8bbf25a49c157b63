// add_positions on the device; the formula is in ops/add_positions.h. T is float or bf16. A lane keeps its
// pack of positions while it walks down the batch. The gradient of the positions is column_sums.h.
#pragma once

#include "cuda/stream.h"
#include "tensor/rows.h"

namespace limoe::cuda {

// rows: sequences, with tokens x columns numbers in each.
template <class T>
void add_positions_forward(Stream stream, const T* x, const T* positions, T* y, Rows rows);

}  // namespace limoe::cuda
