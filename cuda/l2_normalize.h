// l2_normalize over rows on the device; the formula is in ops/l2_normalize.h. T is float or bf16; arithmetic
// is in float. Rows and lanes as in softmax.h.
#pragma once

#include "cuda/stream.h"
#include "tensor/rows.h"

namespace limoe::cuda {

template <class T>
void l2_normalize_forward(Stream stream, const T* x, T* y, Rows rows);

template <class T>
void l2_normalize_backward(Stream stream, const T* x, const T* dy, T* dx, Rows rows);

}  // namespace limoe::cuda
