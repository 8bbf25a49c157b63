#include "tensor/device.h"

#include <charconv>
#include <ostream>

#include "tensor/error.h"

namespace limoe {

Device parse_device(std::string_view name) {
  if (name == "cpu") return {};
  if (name == "sim") return {DeviceKind::sim, 0};
  if (name == "cuda") return {DeviceKind::cuda, 0};
  constexpr std::string_view kPrefix = "cuda:";
  if (name.starts_with(kPrefix)) {
    const std::string_view digits = name.substr(kPrefix.size());
    int index = -1;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
    if (error == std::errc() && end == digits.data() + digits.size() && index >= 0)
      return {DeviceKind::cuda, index};
  }
  throw ValueError("device: \"", name, "\" is unknown; expected cpu, cuda, cuda:N or sim");
}

std::ostream& operator<<(std::ostream& out, const Device& device) {
  if (device.kind == DeviceKind::cpu) return out << "cpu";
  if (device.kind == DeviceKind::sim) return out << "sim";
  return out << "cuda:" << device.index;
}

}  // namespace limoe
