#include "cuda/elementwise.cuh"
#include "cuda/reduce.cuh"
#include "cuda/sum.h"

namespace limoe::cuda {
namespace {

constexpr int kLanes = 256;
constexpr int64_t kLeastPerBlock = 4096;  // elements worth a block
constexpr int64_t kMostBlocksOfASum = 1024;

}  // namespace

int64_t sum_partial_count(int64_t count) {
  const int64_t blocks = blocks_for(count, kLeastPerBlock);
  return blocks < kMostBlocksOfASum ? blocks : kMostBlocksOfASum;
}

// A block adds up the run of `per_block` elements it is numbered for.
template <class T>
__global__ void sum_forward_kernel(const T* x, float* partials, int64_t per_block, int64_t count) {
  const int64_t begin = blockIdx.x * per_block;
  const int64_t end = begin + per_block < count ? begin + per_block : count;
  float sum = 0;
  for (int64_t i = begin + threadIdx.x; i < end; i += kLanes) sum += load(x + i);
  sum = block_reduce<Sum>(sum);
  if (threadIdx.x == 0) partials[blockIdx.x] = sum;
}

// One block adds up the sums of blocks.
template <class T>
__global__ void sum_partials_kernel(const float* partials, T* y, int count) {
  float sum = 0;
  for (int i = int(threadIdx.x); i < count; i += kLanes) sum += partials[i];
  sum = block_reduce<Sum>(sum);
  if (threadIdx.x == 0) store(y, sum);
}

// Lanes stride over the elements.
template <class T>
__global__ void sum_backward_kernel(const T* dy, T* dx, int64_t packs, int64_t count) {
  const float gradient = load(dy);
  for_each_element(dx, packs, count, [=](auto...) { return gradient; });
}

template <class T>
void sum_forward(Stream stream, const T* x, float* partials, T* y, int64_t count) {
  const int64_t blocks = sum_partial_count(count);
  if (blocks > 0)
    launch<sum_forward_kernel<T>>(stream, {.grid = {blocks}, .block = kLanes}, x, partials,
                                  blocks_for(count, blocks), count);
  launch<sum_partials_kernel<T>>(stream, {.block = kLanes}, partials, y, narrow("sum: blocks", blocks));
}

template <class T>
void sum_backward(Stream stream, const T* dy, T* dx, int64_t count) {
  if (count == 0) return;
  const int64_t packs = whole_packs<T>(count, dx);
  launch<sum_backward_kernel<T>>(stream, elementwise_shape<T>(packs, count), dy, dx, packs, count);
}

template void sum_forward(Stream, const float*, float*, float*, int64_t);
template void sum_forward(Stream, const bf16*, float*, bf16*, int64_t);
template void sum_backward(Stream, const float*, float*, int64_t);
template void sum_backward(Stream, const bf16*, bf16*, int64_t);

}  // namespace limoe::cuda
