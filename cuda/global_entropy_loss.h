// global_entropy_loss on the device; the formula is in ops/global_entropy_loss.h, the way it is computed in
// cuda/router_groups.h.
#pragma once

#include "cuda/router_groups.h"

namespace limoe::cuda {

// logits: [N, E]; group_of: [N], an index outside 0..G - 1 is a token that is not counted; scratch:
// [router_scratch_size()]; loss, dy: [].
template <class T>
void global_entropy_loss_forward(Stream stream, const T* logits, float threshold, const int32_t* group_of,
                                 const RouterSizes& sizes, float* scratch, float* loss);

template <class T>
void global_entropy_loss_backward(Stream stream, const T* logits, float threshold, const int32_t* group_of,
                                  const RouterSizes& sizes, const float* dy, float* scratch, T* dlogits);

}  // namespace limoe::cuda
