#include "cuda/cast.h"
#include "cuda/elementwise.cuh"

namespace limoe::cuda {
namespace {

__device__ inline float as_float(float x) {
  return x;
}
__device__ inline float as_float(bf16 x) {
  return float(x);
}
__device__ inline float as_float(int32_t x) {
  return float(x);
}

constexpr int kGroup = 4;  // elements a lane takes at a time: 16 bytes of the wider side, 8 of bf16

template <class T>
struct alignas(kGroup * sizeof(T)) Group {
  T value[kGroup];
};

template <class... Arrays>
bool begins_with_groups(const Arrays*... arrays) {
  return ((reinterpret_cast<uintptr_t>(arrays) % alignof(Group<Arrays>) == 0) && ...);
}

}  // namespace

// Lanes stride over groups of four elements, then over what is left.
template <class From, class To>
__global__ void cast_kernel(const From* x, To* y, int64_t groups, int64_t count) {
  for (int64_t i = first_item(); i < groups; i += item_stride()) {
    const Group<From> from = reinterpret_cast<const Group<From>*>(x)[i];
    Group<To> to;
    for (int j = 0; j < kGroup; ++j) store(to.value + j, as_float(from.value[j]));
    reinterpret_cast<Group<To>*>(y)[i] = to;
  }
  for (int64_t i = groups * kGroup + first_item(); i < count; i += item_stride())
    store(y + i, as_float(x[i]));
}

template <class From, class To>
void cast(Stream stream, const From* x, To* y, int64_t count) {
  if (count == 0) return;
  const int64_t groups = begins_with_groups(x, y) ? count / kGroup : 0;
  const int64_t rest = count - groups * kGroup;
  launch<cast_kernel<From, To>>(stream, elementwise_shape(groups > rest ? groups : rest), x, y, groups,
                                count);
}

template void cast(Stream, const float*, bf16*, int64_t);
template void cast(Stream, const bf16*, float*, int64_t);
template void cast(Stream, const int32_t*, float*, int64_t);
template void cast(Stream, const int32_t*, bf16*, int64_t);

}  // namespace limoe::cuda
