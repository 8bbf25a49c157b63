// The device runtime behind plain functions: what cuda_backend.cpp and launch() stand on.
//
// cuda/vendor/runtime.cpp gives them a GPU, cuda/sim/runtime.cpp a simulated one; the build takes one of the
// two. All calls work on the current device's compute stream. Errors throw CudaError with the runtime's own
// words; a destructor never throws.
#pragma once

#include <cstddef>
#include <string>

#include "cuda/stream.h"

namespace limoe::cuda {

struct DeviceProperties {
  std::string name;          // "NVIDIA H200"
  int major = 0, minor = 0;  // compute capability
  int multiprocessors = 0;
  size_t memory_bytes = 0;
  size_t shared_bytes_per_block = 0;  // the most a block may ask for
};

bool is_simulated();  // true when kernels run in the simulator
// How many devices can be used; when none, `why` says what is missing (driver, GPU, compute capability) and
// what to do.
int device_count(std::string* why = nullptr);
DeviceProperties properties_of(int device);

int multiprocessors();  // of the first device
// Whether the first device has multiply_add_group() of cuda/mma.cuh, and this program the code for it.
bool has_warpgroup_products();

void* allocate(size_t bytes);  // nullptr when there is no memory left; never throws
void free(void* block) noexcept;
void copy_to_device(void* to, const void* host, size_t bytes);
void copy_to_host(void* host, const void* from, size_t bytes);  // waits
void copy_on_device(void* to, const void* from, size_t bytes);
void fill_bytes(void* to, unsigned char value, size_t bytes);
void synchronize();

// Times and orders: record marks a point of a stream; seconds_between waits for `end`.
Event make_event();
void destroy(Event event) noexcept;
void record(Event event, Stream stream);
double seconds_between(Event begin, Event end);

}  // namespace limoe::cuda
