// normalize_gates on the device; the formula is in ops/normalize_gates.h. gates, y, dy, dgates: [count, K].
//
// A lane a row: K is 2 or 3, so a row is one or two loads.
#pragma once

#include <cstdint>

#include "cuda/stream.h"
#include "tensor/rows.h"

namespace limoe::cuda {

template <class T>
void normalize_gates_forward(Stream stream, const T* gates, T* y, Rows rows);

template <class T>
void normalize_gates_backward(Stream stream, const T* gates, const T* dy, T* dgates, Rows rows);

}  // namespace limoe::cuda
