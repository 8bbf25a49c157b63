// contrastive_loss on the device; the formulas are in ops/contrastive_loss.h.
//
// `chunk` rows of A at a time: a product on tensor cores, then a block a row for the rows' log-sum-exp and a
// block for 32 columns that carries their maximum and sum on. Backward makes the products again, turns them
// into dA and multiplies twice more. All sums in float and in an order that hangs on the sizes alone; the
// scale and every result stay on the device.
//
// T: image and text, float or bf16. S: log_scale and its gradient, float or T. Losses and log-sum-exps are
// float. scratch: [contrastive_scratch_size<T>()].
#pragma once

#include <cstdint>

#include "cuda/stream.h"

namespace limoe::cuda {

template <class T, class S>
struct ContrastivePairs {
  const T *image, *text;  // [n, d]
  const S* log_scale;     // []
  int64_t n, d, chunk;
};

struct ContrastiveResults {
  float *loss, *image_to_text, *text_to_image;  // []
  float *row_lse, *column_lse;                  // [n]
};

template <class T, class S>
struct ContrastiveGradientResults {
  T *dimage, *dtext;  // [n, d]
  S* dlog_scale;      // []
};

template <class T>
int64_t contrastive_scratch_size(int64_t n, int64_t d, int64_t chunk);  // in floats

template <class T, class S>
void contrastive_loss_forward(Stream stream, const ContrastivePairs<T, S>& pairs, float* scratch,
                              const ContrastiveResults& results);

template <class T, class S>
void contrastive_loss_backward(Stream stream, const ContrastivePairs<T, S>& pairs, const float* row_lse,
                               const float* column_lse, const float* dloss, float* scratch,
                               const ContrastiveGradientResults<T, S>& gradients);

}  // namespace limoe::cuda
