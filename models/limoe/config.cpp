#include "models/limoe/config.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "models/limoe/config_checks.h"
#include "tensor/error.h"
#include "tensor/nearest_name.h"

namespace limoe {
namespace {

void expect_divides(const char* key, int64_t divisor, const char* of_key, int64_t number) {
  if (divisor < 1 || number % divisor != 0)
    throw ValueError("config: ", key, " is ", divisor, "; expected a divisor of ", of_key, ", which is ",
                     number);
}

[[noreturn]] void refuse_moe_layers(const LimoeConfig& config) {
  throw ValueError("config: moe-layers is \"", config.moe_layers,
                   "\"; expected 'every n', 'last n', 'none' or a list of blocks from 0 to ",
                   config.layers - 1);
}

// The whole of `text` as a number; refuses anything else.
int64_t number_in(const LimoeConfig& config, std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) refuse_moe_layers(config);
  return number;
}

std::vector<int64_t> every(int64_t n, int64_t layers) {
  std::vector<int64_t> blocks;
  for (int64_t block = n - 1; block < layers; block += n) blocks.push_back(block);
  return blocks;
}

}  // namespace

std::vector<int64_t> moe_block_indices(const LimoeConfig& config) {
  const std::string_view text = config.moe_layers;
  if (config.dense || text == "none") return {};
  if (text.starts_with("every ")) {
    const int64_t n = number_in(config, text.substr(6));
    if (n < 1 || n > config.layers) refuse_moe_layers(config);
    return every(n, config.layers);
  }
  if (text.starts_with("last ")) {
    std::vector<int64_t> odd = every(2, config.layers);
    const int64_t n = number_in(config, text.substr(5));
    if (n < 1 || n > int64_t(odd.size())) refuse_moe_layers(config);
    return {odd.end() - n, odd.end()};
  }
  std::set<int64_t> blocks;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    const int64_t block = number_in(config, text.substr(begin, end - begin));
    if (block < 0 || block >= config.layers || !blocks.insert(block).second) refuse_moe_layers(config);
    begin = end + 1;
  }
  return {blocks.begin(), blocks.end()};
}

RouteOptions route_options(const LimoeConfig& config, bool training) {
  return {.experts_per_token = config.experts_per_token,
          .capacity_factor = training ? config.capacity_factor : config.eval_capacity_factor,
          .rounding = config.capacity_rounding == "round" ? CapacityRounding::round : CapacityRounding::ceil,
          .capacity_multiple = config.capacity_multiple,
          .batch_priority = config.batch_priority};
}

namespace {

// Three times the square of one fits into 63 bits, so that sizes can be computed before they are judged.
constexpr int64_t kLargest = int64_t(1) << 30;
constexpr int64_t kMostLayers = 10'000;

void expect_at_most(const char* key, int64_t value, int64_t most) {
  if (value > most) throw ValueError("config: ", key, " is ", value, "; expected at most ", most);
}

}  // namespace

void validate(const LimoeConfig& c) {
  for (const auto& [key, value] : KeyedNumbers<int64_t>{{"image-size", c.image_size},
                                                        {"text-length", c.text_length},
                                                        {"vocabulary", c.vocabulary},
                                                        {"width", c.width},
                                                        {"layers", c.layers},
                                                        {"mlp-width", c.mlp_width},
                                                        {"joint-width", c.joint_width},
                                                        {"experts", c.experts},
                                                        {"experts-per-token", c.experts_per_token},
                                                        {"capacity-multiple", c.capacity_multiple}})
    expect_at_least(key, double(value), 1);
  visit_fields(c, [](const char* key, const auto& value, const char*) {
    if constexpr (std::is_same_v<std::decay_t<decltype(value)>, int64_t>)
      expect_at_most(key, value, kLargest);
  });
  expect_at_most("layers", c.layers, kMostLayers);
  expect_divides("patch-size", c.patch_size, "image-size", c.image_size);
  expect_divides("heads", c.heads, "width", c.width);
  if (!(c.initial_scale > 0))
    throw ValueError("config: initial-scale is ", c.initial_scale, "; expected more than 0");
  if (c.experts_per_token > c.experts)
    throw ValueError("config: experts-per-token is ", c.experts_per_token,
                     "; expected at most experts, which is ", c.experts);
  if (c.capacity_rounding != "ceil" && c.capacity_rounding != "round")
    throw ValueError("config: capacity-rounding is \"", c.capacity_rounding,
                     "\"; expected 'ceil' or 'round'");
  visit_fields(c, [](const char* key, const auto& value, const char*) {
    if constexpr (std::is_same_v<std::decay_t<decltype(value)>, double>) expect_at_least(key, value, 0);
  });
  expect_at_least("group-pairs", double(c.group_pairs), 0);
  if (c.load_weight > 0 && !(c.router_noise > 0))
    throw ValueError("config: load-weight is ", c.load_weight,
                     " but router-noise is 0; the load loss is only defined under noise");
  const auto expect_experts = [&](const char* key, double experts, double weight) {
    if (weight > 0 && !(experts >= 1 && experts <= double(c.experts)))
      throw ValueError("config: ", key, " is ", experts, "; expected 1 to experts, which is ", c.experts);
  };
  expect_experts("global-text-experts", c.global_text_experts, c.global_text_weight);
  expect_experts("global-image-experts", c.global_image_experts, c.global_image_weight);
  moe_block_indices(c);
}

namespace {

LimoeConfig sized(int64_t width, int64_t layers, int64_t heads, int64_t patch_size, const char* moe_layers) {
  LimoeConfig config;
  config.image_size = 224;
  config.patch_size = patch_size;
  config.vocabulary = 32000;
  config.width = config.joint_width = width;
  config.layers = layers;
  config.heads = heads;
  config.mlp_width = 4 * width;
  config.moe_layers = moe_layers;
  config.experts = 32;
  config.importance_weight = config.load_weight = 0.005;
  config.router_noise = 1;
  config.z_weight = 0.001;
  config.local_text_weight = config.global_text_weight = config.global_image_weight = 0.04;
  config.global_text_experts = 9;
  config.global_image_experts = 20;
  return config;
}

const std::map<std::string, LimoeConfig>& presets() {
  static const std::map<std::string, LimoeConfig> all{{"limoe-s32", sized(512, 8, 8, 32, "every 2")},
                                                      {"limoe-s16", sized(512, 8, 8, 16, "every 2")},
                                                      {"limoe-b32", sized(768, 12, 12, 32, "every 2")},
                                                      {"limoe-b16", sized(768, 12, 12, 16, "every 2")},
                                                      {"limoe-l16", sized(1024, 24, 16, 16, "every 2")},
                                                      {"limoe-h14", sized(1280, 32, 16, 14, "last 12")},
                                                      {"limoe-tiny", LimoeConfig{}}};
  return all;
}

}  // namespace

std::vector<std::string> preset_names() {
  std::vector<std::string> names;
  for (const auto& [name, config] : presets()) names.push_back(name);
  return names;
}

LimoeConfig preset(const std::string& name) {
  const auto found = presets().find(name);
  if (found == presets().end())
    throw ValueError("preset: \"", name, "\" is unknown; the nearest known one is ",
                     nearest_name(name, preset_names()));
  return found->second;
}

}  // namespace limoe
