// select_gates on the device; the formula is in ops/select_gates.h. An index outside 0..E - 1 gives 0.
//
// Forward: a lane a choice, a read of 4 bytes through an index. Backward: a lane an element of dprobs, so
// that every element is written once and none is added to twice.
#pragma once

#include <cstdint>

#include "cuda/stream.h"

namespace limoe::cuda {

struct GateSizes {
  int64_t tokens, experts, choices;  // N, E, K
};

template <class T>
void select_gates_forward(Stream stream, const T* probs, const int32_t* expert_of, T* y,
                          const GateSizes& sizes);

template <class T>
void select_gates_backward(Stream stream, const int32_t* expert_of, const T* dy, T* dprobs,
                           const GateSizes& sizes);

}  // namespace limoe::cuda
