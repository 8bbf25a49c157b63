#include "models/limoe/info.h"

#include <algorithm>
#include <string_view>

#include "models/limoe/parameters.h"
#include "models/optim/adafactor.h"
#include "tensor/error.h"

namespace limoe {
namespace {

constexpr int64_t kFloatBytes = 4;  // and those of an i32

bool is_in(std::string_view name, std::string_view part) {
  return name.find(part) != std::string_view::npos;
}

const char* group_of(const ParameterSpec& spec) {
  if (spec.expert_major) return "experts";
  if (is_in(spec.name, ".router.")) return "routers";
  if (is_in(spec.name, ".attention.")) return "attention";
  if (is_in(spec.name, ".mlp.")) return "MLPs";
  if (is_in(spec.name, "norm")) return "norms";
  if (is_in(spec.name, "_projection.")) return "projections";
  if (is_in(spec.name, "image_")) return "image embedding";
  if (is_in(spec.name, "text_") || is_in(spec.name, "token_")) return "text embedding";
  return "logit scale";
}

void count_parameters(const LimoeConfig& config, const std::vector<ParameterSpec>& specs, ModelInfo& info) {
  for (const ParameterSpec& spec : specs) {
    const int64_t all = spec.shape.element_count();
    const int64_t active = spec.expert_major ? all / config.experts * config.experts_per_token : all;
    const char* name = group_of(spec);
    auto group = std::find_if(info.groups.begin(), info.groups.end(),
                              [name](const ParameterGroup& known) { return known.name == name; });
    if (group == info.groups.end()) group = info.groups.insert(group, {name, 0, 0});
    group->all += all;
    group->active += active;
    info.parameters += all;
    info.active_parameters += active;
  }
}

int64_t block_flop(const LimoeConfig& c, int64_t tokens, bool moe) {
  const int64_t attention = 8 * tokens * c.width * c.width + 4 * tokens * tokens * c.width;
  const int64_t mlp = 4 * tokens * c.width * c.mlp_width;
  return attention + (moe ? c.experts_per_token * mlp + 2 * tokens * c.width * c.experts : mlp);
}

int64_t blocks_flop(const LimoeConfig& c, int64_t tokens, int64_t moe_blocks) {
  return moe_blocks * block_flop(c, tokens, true) + (c.layers - moe_blocks) * block_flop(c, tokens, false);
}

void count_flop(const LimoeConfig& c, ModelInfo& info) {
  const int64_t moe_blocks = int64_t(info.moe_blocks.size());
  const int64_t projection = 2 * c.width * c.joint_width;
  const int64_t patches = 2 * info.image_tokens * c.patch_size * c.patch_size * 3 * c.width;
  const int64_t image_blocks = blocks_flop(c, info.image_tokens, moe_blocks);
  const int64_t text_blocks = blocks_flop(c, info.text_tokens, moe_blocks);
  info.image_flop = image_blocks + patches + projection;
  info.text_flop = text_blocks + projection;
  info.training_pair_flop = 3 * info.pair_flop() + (c.grad_checkpointing ? image_blocks + text_blocks : 0);
}

// Numbers that a block's ops save for `n` tokens (see their record() calls): what enters the two norms, their
// mean and deviation, q, k, v, attention's output and log-sum-exps; then an MLP's hidden layer, or a
// mixture's: logits, probabilities, gates, the experts' hidden layer, the rows that come back, and four tables
// of indices. What norms give and the rows sent to experts are made again (autograd/rematerialize.h).
int64_t block_activations(const LimoeConfig& c, int64_t n, bool moe) {
  const int64_t shared = 6 * n * c.width + 4 * n + n * c.heads;
  if (!moe) return shared + n * c.mlp_width;
  const int64_t rows = n * c.experts_per_token;
  return shared + 2 * n * c.experts + rows * (c.width + c.mlp_width + 1) + 3 * rows;
}

int64_t activation_numbers(const LimoeConfig& c, const ModelInfo& info, int64_t pairs) {
  const int64_t n = pairs * (info.image_tokens + info.text_tokens);
  const int64_t ends = n * c.width + 2 * n + 2 * pairs * (c.width + 2 * c.joint_width);
  const int64_t moe_blocks = int64_t(info.moe_blocks.size());
  const int64_t dense = block_activations(c, n, false), moe = block_activations(c, n, true);
  if (c.grad_checkpointing)  // every block's input, and one block at a time
    return ends + c.layers * n * c.width +
           std::max(moe_blocks > 0 ? moe : 0, moe_blocks < c.layers ? dense : 0);
  return ends + moe_blocks * moe + (c.layers - moe_blocks) * dense;
}

int64_t optimizer_numbers(const std::vector<ParameterSpec>& specs, const std::string& optimizer) {
  if (optimizer != "adafactor") return 2 * element_count(specs);
  int64_t numbers = element_count(specs);  // the first moment
  for (const ParameterSpec& spec : specs) {
    const auto axes = factored_axes(spec, AdafactorSettings{}.min_factored);
    numbers += axes ? axes->matrices * (axes->rows + axes->columns) : spec.shape.element_count();
  }
  return numbers;
}

void estimate_memory(const LimoeConfig& c, const std::vector<ParameterSpec>& specs,
                     const TrainingShape& shape, ModelInfo& info) {
  const int64_t micro_batch = shape.batch_size / shape.accum_freq;
  const int64_t pair_data = c.image_size * c.image_size * 3 + 2 * c.text_length;
  info.memory.weights = info.memory.gradients = kFloatBytes * info.parameters;
  info.memory.optimizer = kFloatBytes * optimizer_numbers(specs, shape.optimizer);
  info.memory.activations = kFloatBytes * activation_numbers(c, info, micro_batch);
  info.memory.data = kFloatBytes * shape.batches_held * shape.batch_size * pair_data;
}

}  // namespace

ModelInfo model_info(const LimoeConfig& config, const TrainingShape& shape) {
  if (shape.batch_size < 1 || shape.accum_freq < 1 || shape.batch_size % shape.accum_freq != 0)
    throw ValueError("info: accum-freq is ", shape.accum_freq,
                     "; expected a divisor of batch-size, which is ", shape.batch_size);
  const std::vector<ParameterSpec> specs = parameter_specs(config);  // validates
  ModelInfo info;
  info.moe_blocks = moe_block_indices(config);
  info.image_tokens = config.image_tokens();
  info.text_tokens = config.text_length;
  count_parameters(config, specs, info);
  count_flop(config, info);
  const int64_t pairs = config.group_pairs > 0 ? config.group_pairs : shape.batch_size / shape.accum_freq;
  if (!info.moe_blocks.empty() && config.capacity_factor > 0)
    info.expert_capacity = expert_capacity(pairs * (info.image_tokens + info.text_tokens), config.experts,
                                           route_options(config, true));
  estimate_memory(config, specs, shape, info);
  return info;
}

}  // namespace limoe
