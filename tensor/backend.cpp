#include "tensor/backend.h"

#include <vector>

#include "tensor/caching_allocator.h"
#include "tensor/error.h"

namespace limoe {
namespace {

struct Machine {
  Device device;
  std::unique_ptr<Backend> backend;
  std::unique_ptr<CachingAllocator> allocator;
};

// Never destroyed: tensors that outlive main() still find their allocator.
std::vector<Machine>& machines() {
  static auto* const all = [] {
    auto* list = new std::vector<Machine>();
    auto backend = make_cpu_backend();
    auto allocator = std::make_unique<CachingAllocator>(*backend, "cpu");
    list->push_back({Device{}, std::move(backend), std::move(allocator)});
    return list;
  }();
  return *all;
}

Machine& machine_of(Device device) {
  for (Machine& machine : machines())
    if (machine.device == device) return machine;
  throw DeviceError("device: ", device, " is not installed; expected one of the ", machines().size(),
                    " installed devices, of which cpu is always one");
}

}  // namespace

void install_backend(Device device, std::unique_ptr<Backend> backend) {
  for (const Machine& machine : machines())
    if (machine.device == device) throw DeviceError("device: ", device, " is installed already");
  auto allocator = std::make_unique<CachingAllocator>(*backend, concatenate(device));
  machines().push_back({device, std::move(backend), std::move(allocator)});
}

Backend& backend_of(Device device) {
  return *machine_of(device).backend;
}
CachingAllocator& allocator_of(Device device) {
  return *machine_of(device).allocator;
}

}  // namespace limoe
