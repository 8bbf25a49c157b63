// Single operators as PyTorch computes them: tests/golden/ops.safetensors, by the names of its README.
#pragma once

#include <string>

#include "tensor/error.h"
#include "tensor/safetensors.h"
#include "tests/support/paths.h"

namespace limoe::testing {

inline const SafetensorsFile& golden_ops() {
  static const SafetensorsFile file = read_safetensors(golden_path("ops.safetensors"));
  return file;
}

inline const Tensor& golden(const std::string& name) {
  const auto found = golden_ops().tensors.find(name);
  if (found == golden_ops().tensors.end())
    throw ValueError("golden: ", name, " is not in the file; expected a name of its README");
  return found->second;
}

inline double golden_setting(const std::string& name) {
  return std::stod(golden_ops().metadata.at(name));
}

}  // namespace limoe::testing
