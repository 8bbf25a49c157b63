// The one door to the device: every kernel file includes this and nothing else of CUDA.
//
// Under nvcc it is CUDA; under the C++ compiler it is the simulator (cuda/sim/simt.h), which gives the same
// words the same meaning and checks more than a GPU does. So a kernel is one text for both. What differs
// between them is said here once:
//
//   launch<scale_kernel<T>>(stream, {.grid = {blocks}, .block = 256}, x, y, count);
//   float* const tile = dynamic_shared<float>();
//   *y = rounded_to_bf16(sum);
//
// Words kernels may use: __global__ __device__ __shared__, threadIdx blockIdx blockDim gridDim,
// __syncthreads, __syncwarp,
// __shfl_sync, __shfl_xor_sync, __shfl_up_sync, __shfl_down_sync, __ballot_sync, __any_sync, __all_sync,
// atomicAdd / atomicMax / atomicMin / atomicExch / atomicCAS on integers, __popc, __ffs, __clz, __fmul_rn,
// and the math of <cmath> in float. Whole warps reach every collective; guards go inside the work. Dynamic
// shared memory holds NaN until it is written.
#pragma once

#include "cuda/launch.h"
#include "cuda/stream.h"
#include "tensor/bf16.h"
#include "tensor/host_device.h"

#ifdef __CUDACC__
#include "cuda/vendor/launch.cuh"
#else
#include "cuda/sim/simt.h"
#endif

namespace limoe::cuda {

inline constexpr unsigned kAllLanes = 0xffffffffu;

__device__ inline int lane_index() {
  return int(threadIdx.x) % kWarpSize;
}
// Blocks are whole rows of warps along x.
__device__ inline int warp_index() {
  return int(threadIdx.y * blockDim.x + threadIdx.x) / kWarpSize;
}

// T for storage, float for arithmetic.
__device__ inline float load(const float* x) {
  return *x;
}
__device__ inline float load(const bf16* x) {
  return float(*x);
}
__device__ inline void store(float* x, float value) {
  *x = value;
}
__device__ inline void store(bf16* x, float value) {
  *x = rounded_to_bf16(value);
}

}  // namespace limoe::cuda
