#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "models/cli/command.h"
#include "models/cli/config_flags.h"
#include "models/cli/table.h"
#include "models/cli/terminal.h"
#include "models/limoe/info.h"

namespace limoe {
namespace {

struct InfoArguments {
  ConfigSources sources;
  bool json = false;
};

constexpr int64_t kCountedSingly = 10000;

std::string millions(int64_t count) {
  if (count < kCountedSingly) return grouped_digits(count);
  const std::string decimals = with_decimals(double(count % 1000000) / 1e6, 2);  // "0.42", or "1.00"
  const int64_t whole = count / 1000000 + (decimals[0] == '1' ? 1 : 0);
  return grouped_digits(whole) + decimals.substr(1) + " M";
}

std::string flop(int64_t count) {
  double number = double(count) / 1e6;
  for (const char* unit : {" MFLOP", " GFLOP", " TFLOP"}) {
    if (number < 1000) return with_decimals(number, number < 10 ? 2 : 1) + unit;
    number /= 1000;
  }
  return with_decimals(number, 1) + " PFLOP";
}

std::string list_of(const std::vector<int64_t>& blocks) {
  std::string list;
  for (const int64_t block : blocks) list += (list.empty() ? "" : ", ") + std::to_string(block);
  return list;
}

std::string experts_in_words(const LimoeConfig& config, const ModelInfo& info) {
  if (info.moe_blocks.empty()) return "none: a dense model";
  return std::to_string(config.experts) + " in each of " + std::to_string(info.moe_blocks.size()) +
         " blocks (" + list_of(info.moe_blocks) + "), " + std::to_string(config.experts_per_token) +
         " a token";
}

std::string model_table(const LimoeConfig& config, const ModelInfo& info) {
  Table table({Align::left, Align::left});
  table.heading({"The model"});
  table.row({"  tower", std::to_string(config.layers) + " blocks, width " + std::to_string(config.width) +
                            ", MLP " + std::to_string(config.mlp_width) + ", " +
                            std::to_string(config.heads) + " heads"});
  table.row({"  a picture", std::to_string(config.image_size) + " px in patches of " +
                                std::to_string(config.patch_size) + ": " + std::to_string(info.image_tokens) +
                                " tokens"});
  table.row(
      {"  a text", std::to_string(info.text_tokens) + " tokens out of " + grouped_digits(config.vocabulary)});
  table.row({"  experts", experts_in_words(config, info)});
  if (info.expert_capacity > 0)
    table.row({"  capacity", "an expert takes " + grouped_digits(info.expert_capacity) +
                                 " tokens of a group in training (factor " + text_of(config.capacity_factor) +
                                 ")"});
  return table.text();
}

std::string cost_tables(const ModelInfo& info, const TrainConfig& train) {
  Table table({Align::left, Align::right, Align::right});
  table.heading({"Parameters", "in all", "active per token"});
  for (const ParameterGroup& group : info.groups)
    table.row({"  " + group.name, millions(group.all), millions(group.active)});
  table.row({"  total", millions(info.parameters), millions(info.active_parameters)});
  table.heading({"Work", "forward", "training"});
  table.row({"  a picture", flop(info.image_flop)});
  table.row({"  a text", flop(info.text_flop)});
  table.row({"  a pair", flop(info.pair_flop()), flop(info.training_pair_flop)});
  const std::string micro = train.accum_freq > 1 ? " in " + std::to_string(train.accum_freq) : "";
  table.heading({"Memory to train", "batch of " + std::to_string(train.batch_size) + micro, "share"});
  const MemoryEstimate& memory = info.memory;
  for (const auto& [name, bytes] : {std::pair{"  weights", memory.weights},
                                    {"  gradients", memory.gradients},
                                    {"  optimizer", memory.optimizer},
                                    {"  activations", memory.activations},
                                    {"  data", memory.data},
                                    {"  total", memory.total()}})
    table.row({name, readable_bytes(double(bytes)),
               with_decimals(100 * double(bytes) / double(memory.total()), 1) + " %"});
  return table.text();
}

nlohmann::ordered_json json_of(const LimoeConfig& config, const ModelInfo& info, const TrainConfig& train) {
  nlohmann::ordered_json groups;
  for (const ParameterGroup& group : info.groups)
    groups[group.name] = {{"all", group.all}, {"active", group.active}};
  const MemoryEstimate& memory = info.memory;
  return {{"parameters", info.parameters},
          {"active_parameters", info.active_parameters},
          {"parameter_groups", groups},
          {"moe_blocks", info.moe_blocks},
          {"experts", info.moe_blocks.empty() ? 0 : config.experts},
          {"experts_per_token", info.moe_blocks.empty() ? 0 : config.experts_per_token},
          {"expert_capacity", info.expert_capacity},
          {"image_tokens", info.image_tokens},
          {"text_tokens", info.text_tokens},
          {"flop",
           {{"image", info.image_flop},
            {"text", info.text_flop},
            {"pair", info.pair_flop()},
            {"training_pair", info.training_pair_flop}}},
          {"batch_size", train.batch_size},
          {"accum_freq", train.accum_freq},
          {"optimizer", train.optimizer},
          {"memory_bytes",
           {{"weights", memory.weights},
            {"gradients", memory.gradients},
            {"optimizer", memory.optimizer},
            {"activations", memory.activations},
            {"data", memory.data},
            {"total", memory.total()}}}};
}

void print_info(const InfoArguments& arguments) {
  const Configs configs = resolve_configs(arguments.sources);
  const ModelInfo info = model_info(configs.model, {.batch_size = configs.train.batch_size,
                                                    .accum_freq = configs.train.accum_freq,
                                                    .optimizer = configs.train.optimizer});
  if (arguments.json)
    std::cout << json_of(configs.model, info, configs.train).dump(2) << "\n";
  else
    std::cout << model_table(configs.model, info) << "\n" << cost_tables(info, configs.train);
}

}  // namespace

Action declare_info(CLI::App& flags) {
  const auto arguments = std::make_shared<InfoArguments>();
  flags.add_flag("--json", arguments->json, "the same as one JSON object, in numbers, FLOP and bytes");
  add_config_flags(flags, arguments->sources);
  flags.footer(
      "  limoe info --preset limoe-h14\n"
      "  limoe info --config configs/emoji.toml --batch-size 512 --grad-checkpointing\n"
      "  limoe info --preset limoe-b16 --optimizer adafactor --json");
  return [arguments] { print_info(*arguments); };
}

}  // namespace limoe
