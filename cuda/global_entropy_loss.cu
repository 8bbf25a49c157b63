#include "cuda/global_entropy_loss.h"
#include "cuda/router_groups.cuh"
#include "cuda/router_softmax.cuh"

namespace limoe::cuda {
namespace {

// sums[e] += p[n, e]
template <class T>
struct ProbabilityMass {
  const T* logits;
  int experts;

  __device__ void add(int64_t token, bool counted, Segment segment, float* sums) const {
    const T* const row = logits + token * experts;
    const RowSoftmax softmax = row_softmax(segment, row, experts);
    if (!counted) return;
    for (int expert = segment.lane; expert < experts; expert += segment.width)
      sums[expert] += softmax.probability(load(row + expert));
  }
};

// coefficient = log q, and 0 where the loss is 0 or q is: there every p is 0 as well.
struct Shortfall {
  int experts;
  float threshold;
  float* coefficient;  // null without a gradient

  __device__ float operator()(int group, float count, const float* sums) const {
    float entropy = 0;
    for (int expert = lane_index(); expert < experts; expert += kWarpSize) {
      const float q = sums[expert] / count;
      entropy -= q == 0.0f ? 0.0f : q * logf(q);
    }
    const float excess = threshold - warp_reduce<Sum>(entropy);
    const float loss = excess <= 0.0f ? 0.0f : excess;  // a NaN is no reason for 0
    if (coefficient)
      for (int expert = lane_index(); expert < experts; expert += kWarpSize) {
        const float q = sums[expert] / count;
        coefficient[int64_t(group) * experts + expert] = loss == 0.0f || q == 0.0f ? 0.0f : logf(q);
      }
    return loss;
  }
};

template <class T>
struct GlobalGradient {
  const T* logits;
  const float* coefficient;
  T* dlogits;
  int experts;

  __device__ void write(const TokenPlace& place, Segment segment) const {
    const T* const row = logits + place.token * experts;
    const float* const log_q = coefficient + int64_t(place.group) * experts;
    const RowSoftmax softmax = row_softmax(segment, row, experts);
    float mean = 0;
    if (place.counted)
      for (int expert = segment.lane; expert < experts; expert += segment.width)
        mean += softmax.probability(load(row + expert)) * log_q[expert];
    mean = segment_reduce<Sum>(segment, mean);
    const float scale = place.weight / place.count;
    write_row(dlogits, place, experts, segment, [&](int expert) {
      return scale * softmax.probability(load(row + expert)) * (log_q[expert] - mean);
    });
  }
};

}  // namespace

template <class T>
void global_entropy_loss_forward(Stream stream, const T* logits, float threshold, const int32_t* group_of,
                                 const RouterSizes& sizes, float* scratch, float* loss) {
  const RouterScratch memory(scratch, sizes);
  const int experts = narrow("global_entropy_loss: experts", sizes.experts);
  run_router_loss(stream, ProbabilityMass<T>{logits, experts}, Shortfall{experts, threshold, nullptr},
                  group_of, sizes, experts, memory, loss);
}

template <class T>
void global_entropy_loss_backward(Stream stream, const T* logits, float threshold, const int32_t* group_of,
                                  const RouterSizes& sizes, const float* dy, float* scratch, T* dlogits) {
  const RouterScratch memory(scratch, sizes);
  const int experts = narrow("global_entropy_loss: experts", sizes.experts);
  run_router_loss(stream, ProbabilityMass<T>{logits, experts},
                  Shortfall{experts, threshold, memory.coefficient}, group_of, sizes, experts, memory,
                  nullptr);
  run_router_gradient(stream, GlobalGradient<T>{logits, memory.coefficient, dlogits, experts}, group_of,
                      sizes, memory, dy);
}

template void global_entropy_loss_forward(Stream, const float*, float, const int32_t*, const RouterSizes&,
                                          float*, float*);
template void global_entropy_loss_forward(Stream, const bf16*, float, const int32_t*, const RouterSizes&,
                                          float*, float*);
template void global_entropy_loss_backward(Stream, const float*, float, const int32_t*, const RouterSizes&,
                                           const float*, float*, float*);
template void global_entropy_loss_backward(Stream, const bf16*, float, const int32_t*, const RouterSizes&,
                                           const float*, float*, bf16*);

}  // namespace limoe::cuda
