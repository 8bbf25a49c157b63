#include "cuda/adamw_update.h"
#include "cuda/elementwise.cuh"

namespace limoe::cuda {
namespace {

// The runs of one launch.
struct DecayRuns {
  static constexpr int kMost = 256;

  int64_t begin = 0, end = 0;
  int count = 0;
  bool first_decays = false;
  int64_t ends[kMost];

  __device__ bool decays(int64_t i) const {
    int low = 0, high = count - 1;  // the first run that ends behind i
    while (low < high) {
      const int middle = (low + high) / 2;
      if (ends[middle] <= i)
        low = middle + 1;
      else
        high = middle;
    }
    return (low % 2 == 0) == first_decays;
  }
};

__device__ inline float updated(float w, float g, float& m, float& v, const AdamWStep& step, float decay) {
  m = step.beta1 * m + (1 - step.beta1) * g;
  v = step.beta2 * v + (1 - step.beta2) * g * g;
  const float direction = step.first_correction * m / (sqrtf(step.second_correction * v) + step.epsilon);
  return w - step.lr * (direction + decay * w);
}

}  // namespace

// Lanes stride over packs of four, then over what is left; packs lie in one run.
__global__ void adamw_update_kernel(AdamWArrays arrays, AdamWStep step,
                                    const __grid_constant__ DecayRuns runs, int64_t packs) {
  constexpr int kCount = Packed<float>::kCount;
  for (int64_t i = first_item(); i < packs; i += item_stride()) {
    const int64_t at = runs.begin + i * kCount;
    const float decay = runs.decays(at) ? step.decay : 0.0f;
    Packed<float> w = load_packed(arrays.w + at), m = load_packed(arrays.m + at),
                  v = load_packed(arrays.v + at);
    const Packed<float> g = load_packed(arrays.g + at);
    for (int j = 0; j < kCount; ++j)
      w.value[j] = updated(w.value[j], g.value[j], m.value[j], v.value[j], step, decay);
    store_packed(arrays.w + at, w);
    store_packed(arrays.m + at, m);
    store_packed(arrays.v + at, v);
    if (arrays.rounded)
      for (int j = 0; j < kCount; ++j) store(arrays.rounded + at + j, w.value[j]);
  }
  for (int64_t at = runs.begin + packs * kCount + first_item(); at < runs.end; at += item_stride()) {
    arrays.w[at] = updated(arrays.w[at], arrays.g[at], arrays.m[at], arrays.v[at], step,
                           runs.decays(at) ? step.decay : 0.0f);
    if (arrays.rounded) store(arrays.rounded + at, arrays.w[at]);
  }
}

void adamw_update(Stream stream, const AdamWArrays& arrays, const AdamWStep& step, const int64_t* ends,
                  int run_count, bool first_decays) {
  bool in_packs = true;
  for (int run = 0; run + 1 < run_count; ++run) in_packs = in_packs && ends[run] % Packed<float>::kCount == 0;
  int64_t begin = 0;
  for (int first = 0; first < run_count; first += DecayRuns::kMost) {
    DecayRuns runs;
    runs.count = run_count - first < DecayRuns::kMost ? run_count - first : DecayRuns::kMost;
    for (int run = 0; run < runs.count; ++run) runs.ends[run] = ends[first + run];
    runs.begin = begin;
    runs.end = begin = runs.ends[runs.count - 1];
    runs.first_decays = first_decays;  // kMost is even
    const int64_t count = runs.end - runs.begin;
    if (count == 0) continue;
    const int64_t packs = in_packs ? whole_packs<float>(count, arrays.w + runs.begin, arrays.g + runs.begin,
                                                        arrays.m + runs.begin, arrays.v + runs.begin)
                                   : 0;
    launch<adamw_update_kernel>(stream, elementwise_shape<float>(packs, count), arrays, step, runs, packs);
  }
}

}  // namespace limoe::cuda
