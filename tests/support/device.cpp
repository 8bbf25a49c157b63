#include "tests/support/device.h"

#include <doctest/doctest.h>

#include <cstdio>
#include <string>

#include "cuda/install.h"
#include "cuda/runtime.h"

namespace limoe::testing {
namespace {

bool gpu_is_required = false;

std::optional<Device> find_device() {
  std::string why;
  const bool installed = cuda::install(&why);
  if (cuda::is_simulated()) {
    if (gpu_is_required)
      FAIL("--require-gpu: this build runs kernels in the simulator; expected one by nvcc");
    return Device{DeviceKind::sim, 0};
  }
  if (installed) return Device{DeviceKind::cuda, 0};
  if (gpu_is_required) FAIL("--require-gpu: ", why);
  std::fprintf(stderr, "kernels are not tested: %s\n", why.c_str());
  return std::nullopt;
}

}  // namespace

void require_gpu() {
  gpu_is_required = true;
}

std::optional<Device> device_under_test() {
  static const std::optional<Device> device = find_device();
  return device;
}

}  // namespace limoe::testing
