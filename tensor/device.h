// Device: where a tensor lives. `cpu`, `cuda:0`, `cuda:1`, ..., or `sim`, where CUDA kernels run in the simulator.
#pragma once

#include <iosfwd>
#include <string_view>

namespace limoe {

enum class DeviceKind { cpu, cuda, sim };

struct Device {
  DeviceKind kind = DeviceKind::cpu;
  int index = 0;
  friend bool operator==(const Device&, const Device&) = default;
};

Device parse_device(std::string_view name);  // throws ValueError
std::ostream& operator<<(std::ostream& out, const Device& device);

}  // namespace limoe
