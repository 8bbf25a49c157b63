// The device that tests of kernels run on: the GPU of a build with nvcc, else the simulator.
#pragma once

#include <optional>

#include "tensor/device.h"

namespace limoe::testing {

// None in a build with nvcc on a machine without a GPU: says once that these checks are left out and why.
// With --require-gpu on the command line of the tests that is a failure, and so is the simulator.
std::optional<Device> device_under_test();

void require_gpu();

}  // namespace limoe::testing
