// launch(), dynamic_shared() and rounded_to_bf16() on a GPU. Included by cuda/device.cuh alone.
#pragma once

#include <cuda_runtime.h>

#include <string_view>

#include "cuda/kernel_name.h"
#include "cuda/launch.h"
#include "cuda/stream.h"
#include "tensor/bf16.h"

namespace limoe::cuda {

// After every launch: throws CudaError naming the kernel when the launch was refused and, with LIMOE_SYNC=1,
// waits for the kernel and throws when it failed.
void check_launch(std::string_view kernel);
void allow_shared_bytes(const void* kernel, std::string_view name, size_t bytes);

template <auto Kernel, class... Arguments>
void launch(Stream stream, const LaunchShape& shape, Arguments... arguments) {
  const std::string_view name = kernel_name<Kernel>();
  expect_launchable(name, shape);
  if (shape.shared_bytes > kFreeSharedBytes) {
    static size_t allowed = 0;
    if (shape.shared_bytes > allowed) {
      allow_shared_bytes(reinterpret_cast<const void*>(Kernel), name, shape.shared_bytes);
      allowed = shape.shared_bytes;
    }
  }
  const dim3 grid(unsigned(shape.grid.x), unsigned(shape.grid.y), unsigned(shape.grid.z));
  Kernel<<<grid, dim3(unsigned(shape.block), unsigned(shape.block_y)), shape.shared_bytes,
           static_cast<cudaStream_t>(stream.handle)>>>(arguments...);
  check_launch(name);
}

template <class T>
__device__ T* dynamic_shared() {
  extern __shared__ __align__(1024) unsigned char limoe_dynamic_shared[];
  return reinterpret_cast<T*>(limoe_dynamic_shared);
}

// bf16(value) in one instruction, where its bit by bit definition takes eight. A NaN loses its payload.
__device__ __forceinline__ bf16 rounded_to_bf16(float value) {
  bf16 x;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(x.bits) : "f"(value));
  return x;
}

}  // namespace limoe::cuda
