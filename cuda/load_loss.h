// load_loss on the device; the formula is in ops/load_loss.h, the way it is computed in cuda/router_groups.h.
#pragma once

#include "cuda/router_groups.h"

namespace limoe::cuda {

template <class T>
struct LoadRows {
  const T *logits, *noisy;  // [N, E]
  int choices;              // K
  float deviation;          // s
};

// group_of: [N], an index outside 0..G - 1 is a token that is not counted; scratch: [router_scratch_size()];
// loss, dy: []; dlogits, dnoisy: [N, E].
template <class T>
void load_loss_forward(Stream stream, const LoadRows<T>& rows, const int32_t* group_of,
                       const RouterSizes& sizes, float* scratch, float* loss);

template <class T>
void load_loss_backward(Stream stream, const LoadRows<T>& rows, const int32_t* group_of,
                        const RouterSizes& sizes, const float* dy, float* scratch, T* dlogits, T* dnoisy);

}  // namespace limoe::cuda
