#include "cuda/gshard_loss.h"
#include "cuda/router_groups.cuh"

namespace limoe::cuda {
namespace {

// sums[e] += probs[n, e]; sums[E + the first choice of n] += 1
template <class T>
struct ShareAndMass {
  const T* probs;
  int experts;

  __device__ void add(int64_t token, bool counted, Segment segment, float* sums) const {
    const T* const row = probs + token * experts;
    const int first = index_of_ranked(next_largest(segment, row, experts, kAboveAll));
    if (!counted) return;
    for (int expert = segment.lane; expert < experts; expert += segment.width)
      sums[expert] += load(row + expert);
    if (segment.owns(experts + first)) sums[experts + first] += 1;
  }
};

struct Balance {
  int experts;
  float* coefficient;  // null without a gradient

  __device__ float operator()(int group, float count, const float* sums) const {
    float loss = 0;
    for (int expert = lane_index(); expert < experts; expert += kWarpSize) {
      const float share = sums[experts + expert] / count;
      loss += share * sums[expert];
      if (coefficient) coefficient[int64_t(group) * experts + expert] = float(experts) * share / count;
    }
    return warp_reduce<Sum>(loss) * float(experts) / count;
  }
};

}  // namespace

template <class T>
void gshard_loss_forward(Stream stream, const T* probs, const int32_t* group_of, const RouterSizes& sizes,
                         float* scratch, float* loss) {
  const RouterScratch memory(scratch, sizes);
  const int experts = narrow("gshard_loss: experts", sizes.experts);
  run_router_loss(stream, ShareAndMass<T>{probs, experts}, Balance{experts, nullptr}, group_of, sizes,
                  2 * experts, memory, loss);
}

template <class T>
void gshard_loss_backward(Stream stream, const T* probs, const int32_t* group_of, const RouterSizes& sizes,
                          const float* dy, float* scratch, T* dprobs) {
  const RouterScratch memory(scratch, sizes);
  const int experts = narrow("gshard_loss: experts", sizes.experts);
  run_router_loss(stream, ShareAndMass<T>{probs, experts}, Balance{experts, memory.coefficient}, group_of,
                  sizes, 2 * experts, memory, nullptr);
  run_router_gradient(stream, SharedGradient<T>{memory.coefficient, dprobs, experts}, group_of, sizes, memory,
                      dy);
}

template void gshard_loss_forward(Stream, const float*, const int32_t*, const RouterSizes&, float*, float*);
template void gshard_loss_forward(Stream, const bf16*, const int32_t*, const RouterSizes&, float*, float*);
template void gshard_loss_backward(Stream, const float*, const int32_t*, const RouterSizes&, const float*,
                                   float*, float*);
template void gshard_loss_backward(Stream, const bf16*, const int32_t*, const RouterSizes&, const float*,
                                   float*, bf16*);

}  // namespace limoe::cuda
