// Large copies of the host's memory to the GPU.
//
// The driver copies memory that is not page-locked by one thread through a buffer of its own: 7 GB/s were
// seen where the bus does 50. Here all threads copy it to page-locked pieces, and one is on its way to the
// GPU while the next is filled.
#pragma once

#include <cstddef>

namespace limoe::cuda {

inline constexpr size_t kLeastUpload = size_t{1} << 20;  // bytes; below, the driver's way is as fast

// In the order of the compute stream; `host` may change when it returns. Throws CudaError.
void upload(void* to, const void* host, size_t bytes);

}  // namespace limoe::cuda
