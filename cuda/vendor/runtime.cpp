// cuda/runtime.h on a GPU.
#include "cuda/runtime.h"

#include <cuda_runtime.h>

#include <cstdlib>
#include <cstring>
#include <string_view>

#include "cuda/device_support.h"
#include "cuda/vendor/upload.h"
#include "tensor/error.h"

namespace limoe::cuda {
namespace {

void expect_success(cudaError_t status, std::string_view what) {
  if (status == cudaSuccess) return;
  throw CudaError(what, ": ", cudaGetErrorName(status), ": ", cudaGetErrorString(status));
}

bool waits_for_kernels() {
  static const bool waits = [] {
    const char* const value = std::getenv("LIMOE_SYNC");
    return value && std::strcmp(value, "0") != 0;
  }();
  return waits;
}

// Asking for them takes longer than a kernel.
const DeviceProperties& first_device() {
  static const DeviceProperties first = properties_of(0);
  return first;
}

}  // namespace

bool is_simulated() {
  return false;
}

int device_count(std::string* why) {
  FoundDevices found;
  const cudaError_t status = cudaGetDeviceCount(&found.count);  // left as it is when there is no driver
  found.status = cudaGetErrorString(status);
  cudaDriverGetVersion(&found.driver);
  cudaRuntimeGetVersion(&found.runtime);
  if (found.count > 0) {
    const DeviceProperties first = properties_of(0);
    found.name = first.name;
    found.major = first.major;
    found.minor = first.minor;
  }
  const std::string unusable = why_unusable(found, LIMOE_CUDA_ARCHITECTURES);
  if (why) *why = unusable;
  return unusable.empty() ? found.count : 0;
}

DeviceProperties properties_of(int device) {
  cudaDeviceProp found{};
  expect_success(cudaGetDeviceProperties(&found, device), "cudaGetDeviceProperties");
  return {found.name,           found.major,
          found.minor,          found.multiProcessorCount,
          found.totalGlobalMem, found.sharedMemPerBlockOptin};
}

int multiprocessors() {
  return first_device().multiprocessors;
}
bool has_warpgroup_products() {
  static const bool has =
      first_device().major == 9 && first_device().minor == 0 && has_code_for(LIMOE_CUDA_ARCHITECTURES, "90a");
  return has;
}

void* allocate(size_t bytes) {
  void* block = nullptr;
  if (cudaMalloc(&block, bytes) == cudaSuccess) return block;
  cudaGetLastError();  // the failure is told by the null pointer, not by the next launch
  return nullptr;
}

void free(void* block) noexcept {
  cudaFree(block);
}

void copy_to_device(void* to, const void* host, size_t bytes) {
  if (bytes >= kLeastUpload) return upload(to, host, bytes);
  expect_success(cudaMemcpy(to, host, bytes, cudaMemcpyHostToDevice), "copy to the device");
}
void copy_to_host(void* host, const void* from, size_t bytes) {
  expect_success(cudaMemcpy(host, from, bytes, cudaMemcpyDeviceToHost), "copy to the host");
}
void copy_on_device(void* to, const void* from, size_t bytes) {
  expect_success(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice), "copy on the device");
}
void fill_bytes(void* to, unsigned char value, size_t bytes) {
  expect_success(cudaMemsetAsync(to, value, bytes), "fill on the device");
}
void synchronize() {
  expect_success(cudaDeviceSynchronize(), "waiting for the device");
}

Event make_event() {
  cudaEvent_t event = nullptr;
  expect_success(cudaEventCreate(&event), "cudaEventCreate");
  return {event};
}
void destroy(Event event) noexcept {
  cudaEventDestroy(static_cast<cudaEvent_t>(event.handle));
}
void record(Event event, Stream stream) {
  expect_success(
      cudaEventRecord(static_cast<cudaEvent_t>(event.handle), static_cast<cudaStream_t>(stream.handle)),
      "cudaEventRecord");
}
double seconds_between(Event begin, Event end) {
  expect_success(cudaEventSynchronize(static_cast<cudaEvent_t>(end.handle)), "cudaEventSynchronize");
  float milliseconds = 0;
  expect_success(cudaEventElapsedTime(&milliseconds, static_cast<cudaEvent_t>(begin.handle),
                                      static_cast<cudaEvent_t>(end.handle)),
                 "cudaEventElapsedTime");
  return double(milliseconds) * 1e-3;
}

void check_launch(std::string_view kernel) {
  expect_success(cudaGetLastError(), kernel);
  if (waits_for_kernels()) expect_success(cudaDeviceSynchronize(), kernel);
}

void allow_shared_bytes(const void* kernel, std::string_view name, size_t bytes) {
  expect_success(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, int(bytes)), name);
}

}  // namespace limoe::cuda
