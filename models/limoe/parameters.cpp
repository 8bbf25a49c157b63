#include "models/limoe/parameters.h"

#include <algorithm>
#include <cmath>

namespace limoe {
namespace {

constexpr double kMlpBiasDeviation = 1e-6;

class Declaration {
 public:
  void add(const std::string& name, const Shape& shape, Init init) { specs_.push_back({name, shape, init}); }

  void kernel(const std::string& name, int64_t fan_in, int64_t fan_out) {
    specs_.push_back({name, {fan_in, fan_out}, Init::xavier_uniform(fan_in, fan_out), true});
  }
  void expert_kernel(const std::string& name, int64_t experts, int64_t fan_in, int64_t fan_out) {
    specs_.push_back({name, {experts, fan_in, fan_out}, Init::xavier_uniform(fan_in, fan_out), true, true});
  }
  void expert_bias(const std::string& name, int64_t experts, int64_t width) {
    specs_.push_back({name, {experts, width}, Init::normal(kMlpBiasDeviation), false, true});
  }
  void norm(const std::string& name, int64_t width) {
    add(name + ".scale", {width}, Init::constant(1));
    add(name + ".bias", {width}, Init::zeros());
  }

  std::vector<ParameterSpec> take() { return std::move(specs_); }

 private:
  std::vector<ParameterSpec> specs_;
};

void declare_attention(Declaration& declare, const std::string& name, int64_t width) {
  // q, k and v are three D x D kernels side by side, and each starts as one.
  declare.add(name + ".qkv.kernel", {width, 3 * width}, Init::xavier_uniform(width, width));
  declare.add(name + ".qkv.bias", {3 * width}, Init::zeros());
  declare.kernel(name + ".out.kernel", width, width);
  declare.add(name + ".out.bias", {width}, Init::zeros());
}

void declare_mlp(Declaration& declare, const std::string& name, int64_t width, int64_t mlp_width) {
  declare.kernel(name + ".up.kernel", width, mlp_width);
  declare.add(name + ".up.bias", {mlp_width}, Init::normal(kMlpBiasDeviation));
  declare.kernel(name + ".down.kernel", mlp_width, width);
  declare.add(name + ".down.bias", {width}, Init::normal(kMlpBiasDeviation));
}

void declare_moe(Declaration& declare, const std::string& name, const LimoeConfig& config) {
  declare.kernel(name + ".router.kernel", config.width, config.experts);
  declare.expert_kernel(name + ".up.kernel", config.experts, config.width, config.mlp_width);
  declare.expert_bias(name + ".up.bias", config.experts, config.mlp_width);
  declare.expert_kernel(name + ".down.kernel", config.experts, config.mlp_width, config.width);
  declare.expert_bias(name + ".down.bias", config.experts, config.width);
}

}  // namespace

std::vector<ParameterSpec> parameter_specs(const LimoeConfig& config) {
  validate(config);
  const int64_t width = config.width;
  const Init embedding = Init::normal(1 / std::sqrt(double(width)));
  const std::vector<int64_t> moe_blocks = moe_block_indices(config);
  Declaration declare;
  declare.kernel("image_embed.kernel", config.patch_size * config.patch_size * 3, width);
  declare.add("image_embed.bias", {width}, Init::zeros());
  declare.add("image_positions", {config.image_tokens(), width}, embedding);
  declare.add("token_embed.table", {config.vocabulary, width}, embedding);
  declare.add("text_positions", {config.text_length, width}, embedding);
  for (int64_t i = 0; i < config.layers; ++i) {
    const std::string block = "blocks." + std::to_string(i);
    declare.norm(block + ".attention_norm", width);
    declare_attention(declare, block + ".attention", width);
    declare.norm(block + ".mlp_norm", width);
    if (std::binary_search(moe_blocks.begin(), moe_blocks.end(), i))
      declare_moe(declare, block + ".moe", config);
    else
      declare_mlp(declare, block + ".mlp", width, config.mlp_width);
  }
  declare.norm("final_norm", width);
  declare.kernel("image_projection.kernel", width, config.joint_width);
  declare.kernel("text_projection.kernel", width, config.joint_width);
  declare.add("log_scale", {}, Init::constant(std::log(config.initial_scale)));
  std::vector<ParameterSpec> specs = declare.take();
  for (ParameterSpec& spec : specs) spec.decays = spec.name.ends_with(".kernel");
  return specs;
}

}  // namespace limoe
