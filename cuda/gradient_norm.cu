#include "cuda/elementwise.cuh"
#include "cuda/gradient_norm.h"

namespace limoe::cuda {
namespace {

constexpr int kLanes = 256;
constexpr int kWarps = kLanes / kWarpSize;
constexpr int64_t kLeastPerBlock = 8192;  // elements worth a block
constexpr int64_t kMostBlocksOfANorm = 1024;
constexpr size_t kSharedBytes = kWarps * sizeof(double);

// The sum over all lanes of the block, for lane 0.
__device__ inline double block_sum(double value) {
  double* const of_warp = dynamic_shared<double>();
  for (int distance = kWarpSize / 2; distance > 0; distance /= 2)
    value += __shfl_xor_sync(kAllLanes, value, distance);
  if (lane_index() == 0) of_warp[warp_index()] = value;
  __syncthreads();
  if (threadIdx.x == 0)
    for (int warp = 1; warp < kWarps; ++warp) value += of_warp[warp];
  return value;
}

}  // namespace

int64_t gradient_norm_partial_count(int64_t count) {
  const int64_t blocks = blocks_for(count, kLeastPerBlock);
  return blocks < kMostBlocksOfANorm ? blocks : kMostBlocksOfANorm;
}

// A block adds up the squares of its run of packs; the elements behind the last pack are the last block's.
template <class T>
__global__ void gradient_norm_kernel(const T* gradients, double* partials, int64_t packs, int64_t per_block,
                                     int64_t count) {
  const int64_t begin = blockIdx.x * per_block;
  const int64_t end = begin + per_block < packs ? begin + per_block : packs;
  double sum = 0;
  for (int64_t i = begin + threadIdx.x; i < end; i += kLanes) {
    const Packed<T> pack = load_packed(gradients + i * Packed<T>::kCount);
    for (int j = 0; j < Packed<T>::kCount; ++j) sum += double(pack[j]) * double(pack[j]);
  }
  if (blockIdx.x + 1 == gridDim.x)
    for (int64_t i = packs * Packed<T>::kCount + threadIdx.x; i < count; i += kLanes) {
      const double value = load(gradients + i);
      sum += value * value;
    }
  sum = block_sum(sum);
  if (threadIdx.x == 0) partials[blockIdx.x] = sum;
}

// One block adds up the blocks.
__global__ void gradient_norm_partials_kernel(const double* partials, double* norm, int count) {
  double sum = 0;
  for (int i = int(threadIdx.x); i < count; i += kLanes) sum += partials[i];
  sum = block_sum(sum);
  if (threadIdx.x == 0) *norm = sqrt(sum);
}

// Lanes stride over the elements; nothing is read when there is nothing to clip.
template <class T>
__global__ void clip_by_norm_kernel(T* gradients, const double* norm, double most, int64_t packs,
                                    int64_t count) {
  const double length = *norm;
  if (!(length > most) || length == INFINITY) return;
  const float factor = float(most / length);
  for_each_element(
      gradients, packs, count, [=](float x) { return x * factor; }, gradients);
}

template <class T>
void gradient_norm(Stream stream, const T* gradients, double* partials, double* norm, int64_t count) {
  const int64_t blocks = gradient_norm_partial_count(count), packs = whole_packs<T>(count, gradients);
  if (blocks > 0)
    launch<gradient_norm_kernel<T>>(stream, {.grid = {blocks}, .block = kLanes, .shared_bytes = kSharedBytes},
                                    gradients, partials, packs, blocks_for(packs, blocks), count);
  launch<gradient_norm_partials_kernel>(stream, {.block = kLanes, .shared_bytes = kSharedBytes},
                                        static_cast<const double*>(partials), norm,
                                        narrow("gradient_norm: blocks", blocks));
}

template <class T>
void clip_by_norm(Stream stream, T* gradients, const double* norm, double most, int64_t count) {
  if (count == 0) return;
  const int64_t packs = whole_packs<T>(count, gradients);
  launch<clip_by_norm_kernel<T>>(stream, elementwise_shape<T>(packs, count), gradients, norm, most, packs,
                                 count);
}

template void gradient_norm(Stream, const float*, double*, double*, int64_t);
template void gradient_norm(Stream, const bf16*, double*, double*, int64_t);
template void clip_by_norm(Stream, float*, const double*, double, int64_t);
template void clip_by_norm(Stream, bf16*, const double*, double, int64_t);

}  // namespace limoe::cuda
