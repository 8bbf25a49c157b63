#include "cuda/mean_pool.h"
#include "cuda/token_runs.cuh"

namespace limoe::cuda {
namespace {

constexpr int kLanes = 256;

__device__ inline bool is_valid(const int32_t* valid, int64_t token) {
  return !valid || valid[token] != 0;
}

LaunchShape sequences_by_strips(const RunBatch& batch, int64_t width) {
  return {.grid = {batch.blocks, blocks_for(width, kLanes)}, .block = kLanes};
}

}  // namespace

// Block (sequence, strip of columns), a lane a column.
template <class T>
__global__ void mean_pool_forward_kernel(const T* x, const int32_t* valid, T* y, int64_t width,
                                         const __grid_constant__ RunBatch batch) {
  const SequencePlace place = batch.place(int(blockIdx.x));
  const int64_t column = int64_t(blockIdx.y) * kLanes + threadIdx.x;
  if (column >= width) return;
  float sum = 0;
  int count = 0;
  for (int64_t token = place.first_token; token < place.first_token + place.length; ++token)
    if (is_valid(valid, token)) {
      sum += load(x + token * width + column);
      ++count;
    }
  store(y + place.sequence * width + column, count > 0 ? sum / float(count) : 0.0f);
}

// Block (sequence, strip of columns), a lane a column.
template <class T>
__global__ void mean_pool_backward_kernel(const int32_t* valid, const T* dy, T* dx, int64_t width,
                                          const __grid_constant__ RunBatch batch) {
  const SequencePlace place = batch.place(int(blockIdx.x));
  const int64_t column = int64_t(blockIdx.y) * kLanes + threadIdx.x, end = place.first_token + place.length;
  if (column >= width) return;
  int count = valid ? 0 : place.length;
  if (valid)
    for (int64_t token = place.first_token; token < end; ++token) count += valid[token] != 0;
  const float gradient = load(dy + place.sequence * width + column) / float(count);
  for (int64_t token = place.first_token; token < end; ++token)
    store(dx + token * width + column, is_valid(valid, token) ? gradient : 0.0f);
}

template <class T>
void mean_pool_forward(Stream stream, const T* x, const int32_t* valid, T* y, int64_t width,
                       const TokenRun* runs, int run_count) {
  if (width == 0) return;
  for_each_batch(
      runs, run_count, [](int64_t) { return 1; },
      [&](const RunBatch& batch) {
        launch<mean_pool_forward_kernel<T>>(stream, sequences_by_strips(batch, width), x, valid, y, width,
                                            batch);
      });
}

template <class T>
void mean_pool_backward(Stream stream, const int32_t* valid, const T* dy, T* dx, int64_t width,
                        const TokenRun* runs, int run_count) {
  if (width == 0) return;
  for_each_batch(
      runs, run_count, [](int64_t) { return 1; },
      [&](const RunBatch& batch) {
        launch<mean_pool_backward_kernel<T>>(stream, sequences_by_strips(batch, width), valid, dy, dx, width,
                                             batch);
      });
}

template void mean_pool_forward(Stream, const float*, const int32_t*, float*, int64_t, const TokenRun*, int);
template void mean_pool_forward(Stream, const bf16*, const int32_t*, bf16*, int64_t, const TokenRun*, int);
template void mean_pool_backward(Stream, const int32_t*, const float*, float*, int64_t, const TokenRun*, int);
template void mean_pool_backward(Stream, const int32_t*, const bf16*, bf16*, int64_t, const TokenRun*, int);

}  // namespace limoe::cuda
