// softmax over rows on the device; the formula is in ops/softmax.h. T is float or bf16; arithmetic is in
// float. A row belongs to as many lanes of a warp as it has columns, at most all of them: rows of 8 experts
// go four to a warp. What is read again comes from the cache.
#pragma once

#include "cuda/stream.h"
#include "tensor/rows.h"

namespace limoe::cuda {

template <class T>
void softmax_forward(Stream stream, const T* x, T* y, Rows rows);

template <class T>
void softmax_backward(Stream stream, const T* y, const T* dy, T* dx, Rows rows);

}  // namespace limoe::cuda
