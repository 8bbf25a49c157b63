// cuda/runtime.h on a GPU.
#include "cuda/runtime.h"

#include <cuda_runtime.h>

#include <cstdlib>
#include <cstring>
#include <string_view>

#include "tensor/error.h"

namespace limoe::cuda {
namespace {

constexpr int kLeastMajor = 8;  // the kernels are built for sm_80 and newer

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

}  // namespace

bool is_simulated() {
  return false;
}

int device_count(std::string* why) {
  int count = 0;  // left as it is when there is no driver
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status == cudaSuccess && count > 0) {
    cudaDeviceProp found{};
    expect_success(cudaGetDeviceProperties(&found, 0), "cudaGetDeviceProperties");
    if (found.major >= kLeastMajor) return count;
    if (why)
      *why = concatenate(found.name, " has compute capability ", found.major, ".", found.minor, "; expected ",
                         kLeastMajor, ".0 or more");
    return 0;
  }
  if (!why) return 0;
  int driver = 0, runtime = 0;
  cudaDriverGetVersion(&driver);
  cudaRuntimeGetVersion(&runtime);
  if (driver == 0)
    *why = "no NVIDIA driver was found; install one, or use --device cpu";
  else if (driver < runtime)
    *why = concatenate("the NVIDIA driver serves CUDA ", driver / 1000, ".", driver % 1000 / 10,
                       "; expected ", runtime / 1000, ".", runtime % 1000 / 10, " or newer");
  else
    *why = concatenate("no GPU was found: ", cudaGetErrorString(status));
  return 0;
}

DeviceProperties properties_of(int device) {
  cudaDeviceProp found{};
  expect_success(cudaGetDeviceProperties(&found, device), "cudaGetDeviceProperties");
  return {found.name,           found.major,
          found.minor,          found.multiProcessorCount,
          found.totalGlobalMem, found.sharedMemPerBlockOptin};
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
