// Makes the devices of this build known to tensor/backend.h. Called by main(), once, and by tests.
#pragma once

#include <string>

#include "tensor/device.h"

namespace limoe::cuda {

// Installs cuda:0, cuda:1, ... in a build with nvcc, or sim in a build without. When nothing can be
// installed, returns false and `why` says what is missing and what to do.
bool install(std::string* why = nullptr);

// The same for one kind that was asked for; the CPU is always there. Throws DeviceError that says what is
// missing and what to do instead.
void install(DeviceKind kind);

}  // namespace limoe::cuda
