#include "cuda/elementwise.cuh"
#include "cuda/select_gates.h"

namespace limoe::cuda {

// Lanes stride over choices.
template <class T>
__global__ void select_gates_forward_kernel(const T* probs, const int32_t* expert_of, T* y, GateSizes sizes) {
  for (int64_t choice = first_item(); choice < sizes.tokens * sizes.choices; choice += item_stride()) {
    const int32_t expert = expert_of[choice];
    const bool chosen = expert >= 0 && expert < sizes.experts;
    store(y + choice, chosen ? load(probs + choice / sizes.choices * sizes.experts + expert) : 0.0f);
  }
}

// Lanes stride over the elements of dprobs.
template <class T>
__global__ void select_gates_backward_kernel(const int32_t* expert_of, const T* dy, T* dprobs,
                                             GateSizes sizes) {
  for (int64_t i = first_item(); i < sizes.tokens * sizes.experts; i += item_stride()) {
    const int64_t token = i / sizes.experts, expert = i - token * sizes.experts;
    float sum = 0;
    for (int64_t choice = token * sizes.choices; choice < (token + 1) * sizes.choices; ++choice)
      if (expert_of[choice] == expert) sum += load(dy + choice);
    store(dprobs + i, sum);
  }
}

template <class T>
void select_gates_forward(Stream stream, const T* probs, const int32_t* expert_of, T* y,
                          const GateSizes& sizes) {
  const int64_t count = sizes.tokens * sizes.choices;
  if (count == 0) return;
  launch<select_gates_forward_kernel<T>>(stream, elementwise_shape(count), probs, expert_of, y, sizes);
}

template <class T>
void select_gates_backward(Stream stream, const int32_t* expert_of, const T* dy, T* dprobs,
                           const GateSizes& sizes) {
  const int64_t count = sizes.tokens * sizes.experts;
  if (count == 0) return;
  launch<select_gates_backward_kernel<T>>(stream, elementwise_shape(count), expert_of, dy, dprobs, sizes);
}

template void select_gates_forward(Stream, const float*, const int32_t*, float*, const GateSizes&);
template void select_gates_forward(Stream, const bf16*, const int32_t*, bf16*, const GateSizes&);
template void select_gates_backward(Stream, const int32_t*, const float*, float*, const GateSizes&);
template void select_gates_backward(Stream, const int32_t*, const bf16*, bf16*, const GateSizes&);

}  // namespace limoe::cuda
