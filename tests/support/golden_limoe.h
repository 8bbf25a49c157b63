// The whole small models of tests/golden/limoe_tiny.safetensors, and the same models built by us.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "data/batch.h"
#include "models/limoe/limoe.h"
#include "tensor/safetensors.h"
#include "tests/support/paths.h"

namespace limoe::testing {

// One case of the file: "k1", "k2", "two_layers", "noise".
class GoldenLimoe {
 public:
  explicit GoldenLimoe(const std::string& name, Device device = {}, std::optional<DType> activations = {});

  const Tensor& tensor(const std::string& key) const;  // "<case>.<key>"
  std::string setting(const std::string& key) const;   // metadata "<case>.<key>"
  Batch batch() const;
  ForwardOptions options() const;  // training, with the stored noise
  // The file's tables have a row for padding too; the model's token matrix has none.
  Tensor without_padding(const Tensor& table) const;

  LimoeConfig config;
  std::unique_ptr<ParameterArena> arena;  // filled with the stored parameters
  std::unique_ptr<Limoe> model;

 private:
  std::string name_;
};

}  // namespace limoe::testing
