#include "cuda/importance_loss.h"
#include "cuda/router_groups.cuh"
#include "cuda/squared_variation.cuh"

namespace limoe::cuda {
namespace {

// sums[e] += probs[n, e]
template <class T>
struct Importance {
  const T* probs;
  int experts;

  __device__ void add(int64_t token, bool counted, Segment segment, float* sums) const {
    if (!counted) return;
    for (int expert = segment.lane; expert < experts; expert += segment.width)
      sums[expert] += load(probs + token * experts + expert);
  }
};

struct VariationOfImportance {
  int experts;
  float* coefficient;  // null without a gradient

  __device__ float operator()(int group, float, const float* sums) const {
    return squared_variation(sums, experts, 1.0f,
                             coefficient ? coefficient + int64_t(group) * experts : nullptr);
  }
};

}  // namespace

template <class T>
void importance_loss_forward(Stream stream, const T* probs, const int32_t* group_of, const RouterSizes& sizes,
                             float* scratch, float* loss) {
  const RouterScratch memory(scratch, sizes);
  const int experts = narrow("importance_loss: experts", sizes.experts);
  run_router_loss(stream, Importance<T>{probs, experts}, VariationOfImportance{experts, nullptr}, group_of,
                  sizes, experts, memory, loss);
}

template <class T>
void importance_loss_backward(Stream stream, const T* probs, const int32_t* group_of,
                              const RouterSizes& sizes, const float* dy, float* scratch, T* dprobs) {
  const RouterScratch memory(scratch, sizes);
  const int experts = narrow("importance_loss: experts", sizes.experts);
  run_router_loss(stream, Importance<T>{probs, experts}, VariationOfImportance{experts, memory.coefficient},
                  group_of, sizes, experts, memory, nullptr);
  run_router_gradient(stream, SharedGradient<T>{memory.coefficient, dprobs, experts}, group_of, sizes, memory,
                      dy);
}

template void importance_loss_forward(Stream, const float*, const int32_t*, const RouterSizes&, float*,
                                      float*);
template void importance_loss_forward(Stream, const bf16*, const int32_t*, const RouterSizes&, float*,
                                      float*);
template void importance_loss_backward(Stream, const float*, const int32_t*, const RouterSizes&, const float*,
                                       float*, float*);
template void importance_loss_backward(Stream, const bf16*, const int32_t*, const RouterSizes&, const float*,
                                       float*, bf16*);

}  // namespace limoe::cuda
