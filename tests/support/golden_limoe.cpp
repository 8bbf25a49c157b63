#include "tests/support/golden_limoe.h"

#include "models/limoe/parameters.h"
#include "ops/concat.h"
#include "tensor/error.h"
#include "tensor/factory.h"

namespace limoe::testing {
namespace {

const SafetensorsFile& golden_file() {
  static const SafetensorsFile file = read_safetensors(golden_path("limoe_tiny.safetensors"));
  return file;
}

}  // namespace

GoldenLimoe::GoldenLimoe(const std::string& name, Device device, std::optional<DType> activations)
    : name_(name) {
  const auto whole = [&](const char* key) { return std::stoll(setting(key)); };
  const auto real = [&](const char* key) { return std::stod(setting(key)); };
  config.image_size = whole("image_size");
  config.patch_size = whole("patch");
  config.text_length = whole("text_length");
  config.vocabulary = whole("vocabulary");
  config.width = whole("width");
  config.layers = whole("blocks");
  config.heads = whole("heads");
  config.mlp_width = whole("mlp");
  config.joint_width = whole("joint");
  config.moe_layers = setting("moe_blocks");
  config.experts = whole("experts");
  config.experts_per_token = whole("top_k");
  config.renormalize_gates = setting("renormalise") == "True";
  config.capacity_factor = real("capacity_factor");
  config.capacity_rounding = setting("capacity_rounding");
  config.capacity_multiple = whole("capacity_multiple");
  config.batch_priority = setting("priority") == "True";
  config.router_noise = real("noise_std");
  config.group_pairs = whole("pairs") / whole("groups");
  config.importance_weight = real("weight.importance");
  config.load_weight = config.router_noise > 0 ? real("weight.load") : 0;
  config.z_weight = real("weight.z");
  config.gshard_weight = real("weight.gshard");
  config.local_text_weight = real("weight.local_text");
  config.local_image_weight = real("weight.local_image");
  config.global_text_weight = real("weight.global_text");
  config.global_image_weight = real("weight.global_image");
  config.global_text_experts = real("threshold_text");
  config.global_image_experts = real("threshold_image");
  arena = std::make_unique<ParameterArena>(parameter_specs(config), 0, DType::f32, device);
  const std::string owner = setting("parameters");
  for (const Parameter& parameter : arena->parameters())
    arena->assign(parameter.spec.name,
                  golden_file().tensors.at(owner + ".parameters." + parameter.spec.name));
  model = std::make_unique<Limoe>(config, *arena, activations);
}

const Tensor& GoldenLimoe::tensor(const std::string& key) const {
  const auto found = golden_file().tensors.find(name_ + "." + key);
  if (found == golden_file().tensors.end())
    throw ValueError("golden: ", name_, ".", key, " is not in the file");
  return found->second;
}

std::string GoldenLimoe::setting(const std::string& key) const {
  const auto found = golden_file().metadata.find(name_ + "." + key);
  if (found == golden_file().metadata.end())
    throw ValueError("golden: setting ", name_, ".", key, " is not in the file");
  return found->second;
}

Batch GoldenLimoe::batch() const {
  Batch batch;
  batch.images = tensor("images");
  batch.ids = tensor("ids");
  batch.text_valid = tensor("text_valid");
  batch.sample_index.resize(size_t(batch.images.dim(0)));
  return batch;
}

ForwardOptions GoldenLimoe::options() const {
  ForwardOptions options{.training = true};
  if (config.router_noise > 0)
    for (const int64_t block : moe_block_indices(config))
      options.given_noise[block] = without_padding(tensor("noise." + std::to_string(block)));
  return options;
}

Tensor GoldenLimoe::without_padding(const Tensor& table) const {
  const std::vector<int32_t> text_valid = to_vector<int32_t>(tensor("text_valid"));
  const int64_t image_rows = table.dim(0) - int64_t(text_valid.size());
  std::vector<Var> rows{Var(table.slice(0, 0, image_rows))};
  for (size_t place = 0; place < text_valid.size(); ++place)
    if (const int64_t row = image_rows + int64_t(place); text_valid[place])
      rows.emplace_back(table.slice(0, row, row + 1));
  return concat(rows, 0).value();
}

}  // namespace limoe::testing
