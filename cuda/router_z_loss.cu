#include "cuda/router_groups.cuh"
#include "cuda/router_softmax.cuh"
#include "cuda/router_z_loss.h"

namespace limoe::cuda {
namespace {

// sums[0] += (log sum exp)^2
template <class T>
struct SquaredLogSum {
  const T* logits;
  int experts;

  __device__ void add(int64_t token, bool counted, Segment segment, float* sums) const {
    const float log_sum = row_softmax(segment, logits + token * experts, experts).log_sum_exp();
    if (counted && segment.owns(0)) sums[0] += log_sum * log_sum;
  }
};

template <class T>
struct ZGradient {
  const T* logits;
  T* dlogits;
  int experts;

  __device__ void write(const TokenPlace& place, Segment segment) const {
    const T* const row = logits + place.token * experts;
    const RowSoftmax softmax = row_softmax(segment, row, experts);
    const float scale = 2.0f * place.weight / place.count * softmax.log_sum_exp();
    write_row(dlogits, place, experts, segment,
              [&](int expert) { return scale * softmax.probability(load(row + expert)); });
  }
};

}  // namespace

template <class T>
void router_z_loss_forward(Stream stream, const T* logits, const int32_t* group_of, const RouterSizes& sizes,
                           float* scratch, float* loss) {
  const RouterScratch memory(scratch, sizes);
  const int experts = narrow("router_z_loss: experts", sizes.experts);
  run_router_loss(stream, SquaredLogSum<T>{logits, experts}, MeanOfFirst{}, group_of, sizes, 1, memory, loss);
}

template <class T>
void router_z_loss_backward(Stream stream, const T* logits, const int32_t* group_of, const RouterSizes& sizes,
                            const float* dy, float* scratch, T* dlogits) {
  const RouterScratch memory(scratch, sizes);
  const int experts = narrow("router_z_loss: experts", sizes.experts);
  run_router_loss(stream, CountsAlone{}, CountsAlone{}, group_of, sizes, 0, memory, nullptr);
  run_router_gradient(stream, ZGradient<T>{logits, dlogits, experts}, group_of, sizes, memory, dy);
}

template void router_z_loss_forward(Stream, const float*, const int32_t*, const RouterSizes&, float*, float*);
template void router_z_loss_forward(Stream, const bf16*, const int32_t*, const RouterSizes&, float*, float*);
template void router_z_loss_backward(Stream, const float*, const int32_t*, const RouterSizes&, const float*,
                                     float*, float*);
template void router_z_loss_backward(Stream, const bf16*, const int32_t*, const RouterSizes&, const float*,
                                     float*, bf16*);

}  // namespace limoe::cuda
