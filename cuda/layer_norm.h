// layer_norm on the device, alone and with the residual add in front; formulas in ops/layer_norm.h. T is
// float or bf16; arithmetic and statistics are float.
//
// A warp owns a row. Rows of up to 1280 columns in whole packs of 16 bytes are held in registers, so memory
// is read once; other rows are read again from the cache. dscale and dbias: every warp adds up its own rows
// in registers, a block its warps, and column_sums.h the blocks.
#pragma once

#include <cstdint>

#include "cuda/stream.h"
#include "tensor/rows.h"

namespace limoe::cuda {

template <class T>
struct LayerNormForward {
  const T *x, *scale, *bias;
  T* y;
  float *mean, *rstd;         // [rows]
  const T* addend = nullptr;  // with it, x + addend is what is normalised,
  T* sum = nullptr;           // and where it is kept
};
template <class T>
void layer_norm_forward(Stream stream, const LayerNormForward<T>& of, float epsilon, Rows rows);

template <class T>
struct LayerNormBackward {
  const T *x, *scale;
  const float *mean, *rstd;
  const T* dy;
  T *dx, *dparameters;      // dparameters [2 width]: dscale, then dbias
  float* partials;          // [layer_norm_partial_rows(rows), 2 width]
  const T* dsum = nullptr;  // gradient that reaches x past the norm, added to dx
};
int64_t layer_norm_partial_rows(Rows rows);
template <class T>
void layer_norm_backward(Stream stream, const LayerNormBackward<T>& of, Rows rows);

}  // namespace limoe::cuda
