#include "cuda/load_loss.h"
#include "cuda/router_groups.cuh"
#include "cuda/squared_variation.cuh"

namespace limoe::cuda {
namespace {

constexpr float kSqrtHalf = 0.70710678118654752440f;
constexpr float kOneOverSqrtTwoPi = 0.39894228040143267794f;

// The token's threshold t: where it lies, and its value, NaN if the row holds one.
struct Threshold {
  int place;
  float value;
};

template <class T>
__device__ inline Threshold threshold_of(const LoadRows<T>& rows, int64_t token, int experts,
                                         Segment segment) {
  const T* const noisy = rows.noisy + token * experts;
  uint64_t rank = next_largest(segment, noisy, experts, kAboveAll);
  const bool has_nan = uint32_t(rank >> 32) == kNanKey;  // it ranks above all numbers
  for (int k = 1; k < rows.choices; ++k) rank = next_largest(segment, noisy, experts, rank);
  const int place = index_of_ranked(rank);
  return has_nan ? Threshold{0, NAN} : Threshold{place, load(noisy + place)};
}

template <class T>
__device__ inline float distance_to(const Threshold& threshold, const LoadRows<T>& rows, int64_t element) {
  return (threshold.value - load(rows.logits + element)) / rows.deviation;
}

// sums[e] += the chance that expert e is among the chosen
template <class T>
struct ChancesOfChoice {
  LoadRows<T> rows;
  int experts;

  __device__ void add(int64_t token, bool counted, Segment segment, float* sums) const {
    const Threshold threshold = threshold_of(rows, token, experts, segment);
    if (!counted) return;
    for (int expert = segment.lane; expert < experts; expert += segment.width)
      sums[expert] += 0.5f * erfcf(distance_to(threshold, rows, token * experts + expert) * kSqrtHalf);
  }
};

struct VariationOfLoad {
  int experts;
  float* coefficient;  // null without a gradient

  __device__ float operator()(int group, float count, const float* sums) const {
    return squared_variation(sums, experts, count,
                             coefficient ? coefficient + int64_t(group) * experts : nullptr);
  }
};

template <class T>
struct LoadGradient {
  LoadRows<T> rows;
  const float* coefficient;
  T *dlogits, *dnoisy;
  int experts;

  __device__ void write(const TokenPlace& place, Segment segment) const {
    const Threshold threshold = threshold_of(rows, place.token, experts, segment);
    const float scale = place.weight * kOneOverSqrtTwoPi / (rows.deviation * place.count);
    const float* const gradient = coefficient + int64_t(place.group) * experts;
    const auto value = [&](int expert) {
      const float u = distance_to(threshold, rows, place.token * experts + expert);
      return scale * gradient[expert] * expf(-0.5f * u * u);
    };
    write_row(dlogits, place, experts, segment, value);
    float sum = 0;
    if (place.counted)
      for (int expert = segment.lane; expert < experts; expert += segment.width) sum += value(expert);
    sum = segment_reduce<Sum>(segment, sum);
    write_row(dnoisy, place, experts, segment,
              [&](int expert) { return expert == threshold.place ? -sum : 0.0f; });
  }
};

}  // namespace

template <class T>
void load_loss_forward(Stream stream, const LoadRows<T>& rows, const int32_t* group_of,
                       const RouterSizes& sizes, float* scratch, float* loss) {
  const RouterScratch memory(scratch, sizes);
  const int experts = narrow("load_loss: experts", sizes.experts);
  run_router_loss(stream, ChancesOfChoice<T>{rows, experts}, VariationOfLoad{experts, nullptr}, group_of,
                  sizes, experts, memory, loss);
}

template <class T>
void load_loss_backward(Stream stream, const LoadRows<T>& rows, const int32_t* group_of,
                        const RouterSizes& sizes, const float* dy, float* scratch, T* dlogits, T* dnoisy) {
  const RouterScratch memory(scratch, sizes);
  const int experts = narrow("load_loss: experts", sizes.experts);
  run_router_loss(stream, ChancesOfChoice<T>{rows, experts}, VariationOfLoad{experts, memory.coefficient},
                  group_of, sizes, experts, memory, nullptr);
  run_router_gradient(stream, LoadGradient<T>{rows, memory.coefficient, dlogits, dnoisy, experts}, group_of,
                      sizes, memory, dy);
}

template void load_loss_forward(Stream, const LoadRows<float>&, const int32_t*, const RouterSizes&, float*,
                                float*);
template void load_loss_forward(Stream, const LoadRows<bf16>&, const int32_t*, const RouterSizes&, float*,
                                float*);
template void load_loss_backward(Stream, const LoadRows<float>&, const int32_t*, const RouterSizes&,
                                 const float*, float*, float*, float*);
template void load_loss_backward(Stream, const LoadRows<bf16>&, const int32_t*, const RouterSizes&,
                                 const float*, float*, bf16*, bf16*);

}  // namespace limoe::cuda
