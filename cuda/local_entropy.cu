#include "cuda/local_entropy.h"
#include "cuda/router_groups.cuh"
#include "cuda/router_softmax.cuh"

namespace limoe::cuda {
namespace {

// The entropy of a row's softmax; every lane of the segment gets it.
template <class T>
__device__ inline float entropy_of(Segment segment, const RowSoftmax& softmax, const T* row, int experts) {
  float sum = 0;
  for (int expert = segment.lane; expert < experts; expert += segment.width) {
    const float x = load(row + expert);
    sum -= times_probability(softmax.probability(x), softmax.log_probability(x));
  }
  return segment_reduce<Sum>(segment, sum);
}

// sums[0] += H(p)
template <class T>
struct RowEntropy {
  const T* logits;
  int experts;

  __device__ void add(int64_t token, bool counted, Segment segment, float* sums) const {
    const T* const row = logits + token * experts;
    const float entropy = entropy_of(segment, row_softmax(segment, row, experts), row, experts);
    if (counted && segment.owns(0)) sums[0] += entropy;
  }
};

template <class T>
struct EntropyGradient {
  const T* logits;
  T* dlogits;
  int experts;

  __device__ void write(const TokenPlace& place, Segment segment) const {
    const T* const row = logits + place.token * experts;
    const RowSoftmax softmax = row_softmax(segment, row, experts);
    const float entropy = entropy_of(segment, softmax, row, experts), scale = -place.weight / place.count;
    write_row(dlogits, place, experts, segment, [&](int expert) {
      const float x = load(row + expert);
      return scale * times_probability(softmax.probability(x), softmax.log_probability(x) + entropy);
    });
  }
};

}  // namespace

template <class T>
void local_entropy_forward(Stream stream, const T* logits, const int32_t* group_of, const RouterSizes& sizes,
                           float* scratch, float* loss) {
  const RouterScratch memory(scratch, sizes);
  const int experts = narrow("local_entropy: experts", sizes.experts);
  run_router_loss(stream, RowEntropy<T>{logits, experts}, MeanOfFirst{}, group_of, sizes, 1, memory, loss);
}

template <class T>
void local_entropy_backward(Stream stream, const T* logits, const int32_t* group_of, const RouterSizes& sizes,
                            const float* dy, float* scratch, T* dlogits) {
  const RouterScratch memory(scratch, sizes);
  const int experts = narrow("local_entropy: experts", sizes.experts);
  run_router_loss(stream, CountsAlone{}, CountsAlone{}, group_of, sizes, 0, memory, nullptr);
  run_router_gradient(stream, EntropyGradient<T>{logits, dlogits, experts}, group_of, sizes, memory, dy);
}

template void local_entropy_forward(Stream, const float*, const int32_t*, const RouterSizes&, float*, float*);
template void local_entropy_forward(Stream, const bf16*, const int32_t*, const RouterSizes&, float*, float*);
template void local_entropy_backward(Stream, const float*, const int32_t*, const RouterSizes&, const float*,
                                     float*, float*);
template void local_entropy_backward(Stream, const bf16*, const int32_t*, const RouterSizes&, const float*,
                                     float*, bf16*);

}  // namespace limoe::cuda
