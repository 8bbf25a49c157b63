#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "models/limoe/parameters.h"
#include "models/train/checkpoint.h"
#include "models/train/checkpoint_files.h"
#include "models/train/fields.h"
#include "models/train/small_file.h"
#include "tensor/error.h"
#include "tensor/nearest_name.h"
#include "tensor/safetensors.h"

namespace limoe {
namespace {

std::string file_in(const std::string& folder, const char* name) {
  return (std::filesystem::path(folder) / name).string();
}

void read_configs(const std::string& path, LimoeConfig& model, TrainConfig& train) {
  KeyedValues values = read_config_file(path);
  try {
    take_fields(model, values);
    take_fields(train, values);
    std::vector<std::string> known = field_names<LimoeConfig>();
    for (const std::string& name : field_names<TrainConfig>()) known.push_back(name);
    refuse_unknown(values, known);
  } catch (const Error& error) {
    throw FileError(error.what());  // which begins with the path
  }
}

// A config from anywhere may ask for more memory than there is; the tensors beside it say what it can mean.
std::vector<ParameterSpec> expected_parameters(const std::string& config_path, const LimoeConfig& config,
                                               const SafetensorsFile& file) {
  const auto found = int64_t(file.tensors.size());
  if (config.layers > found)
    throw FileError(config_path, ": layers is ", config.layers, "; expected at most ", found,
                    ", the tensors in ", kModelFile);
  try {
    return parameter_specs(config);  // which validates it
  } catch (const Error& error) {
    throw FileError(config_path, ": ", error.what());
  }
}

SafetensorsFile read_model_file(const std::string& path) {
  SafetensorsFile file = read_safetensors(path);
  if (const auto format = file.metadata.find("format");
      format == file.metadata.end() || format->second != kTensorFormat)
    throw FileError(path, ": its metadata has no format \"", kTensorFormat, "\"; expected a model's tensors");
  return file;
}

void expect_fit(const std::string& path, const SafetensorsFile& file,
                const std::vector<ParameterSpec>& specs) {
  std::vector<std::string> known;
  for (const ParameterSpec& spec : specs) {
    known.push_back(spec.name);
    const auto found = file.tensors.find(spec.name);
    if (found == file.tensors.end())
      throw FileError(path, ": ", spec.name, " is missing; expected ", spec.shape);
    const Tensor& values = found->second;
    if (values.shape() != spec.shape)
      throw FileError(path, ": ", spec.name, " is ", values.shape(), "; expected ", spec.shape);
    if (values.dtype() != DType::f32)
      throw FileError(path, ": ", spec.name, " is ", values.dtype(), "; expected ", DType::f32);
  }
  for (const auto& [name, values] : file.tensors)
    if (std::find(known.begin(), known.end(), name) == known.end())
      throw FileError(path, ": ", name, " is unknown to the config beside it; the nearest parameter is ",
                      nearest_name(name, known));
}

std::string shown(const nlohmann::json& json, const char* key) {
  constexpr size_t kLongest = 60;
  if (!json.contains(key)) return "missing";
  const std::string text = json[key].dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  return text.size() <= kLongest ? text : text.substr(0, kLongest) + "...";
}

nlohmann::json read_trainer(const std::string& path) {
  const std::string text = read_small_file(path, "the state of a trainer");
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("format") || json["format"] != kTrainerFormat)
    throw FileError(path, ": is damaged; expected the state of a trainer");
  if (!json.contains("version") || json["version"] != kCheckpointVersion)
    throw FileError(path, ": is of another version; expected ", kCheckpointVersion);
  for (const char* key : {"step", "samples_seen", "loader_epoch", "loader_step"})
    if (!json.contains(key) || !json[key].is_number_unsigned() ||
        json[key].get<uint64_t>() > uint64_t(INT64_MAX))
      throw FileError(path, ": ", key, " is ", shown(json, key), "; expected a whole number of 0 or more");
  if (json.contains("notes") && !json["notes"].is_object())
    throw FileError(path, ": notes is ", shown(json, "notes"), "; expected an object");
  return json;
}

}  // namespace

LoadedModel load_model(const std::string& run_or_checkpoint) {
  LoadedModel loaded;
  const FoundCheckpoint found = find_checkpoint(run_or_checkpoint);
  loaded.path = found.path;
  loaded.warnings = found.warnings;
  read_configs(file_in(loaded.path, kConfigFile), loaded.config, loaded.train_config);
  loaded.step = read_trainer(file_in(loaded.path, kTrainerFile))["step"];
  loaded.tokenizer = load_tokenizer(file_in(loaded.path, kTokenizerFile));
  if (loaded.tokenizer->vocab_size() > loaded.config.vocabulary)
    throw FileError(file_in(loaded.path, kTokenizerFile), ": has ", loaded.tokenizer->vocab_size(),
                    " pieces; expected at most ", loaded.config.vocabulary, ", the model's vocabulary");
  const SafetensorsFile file = read_model_file(file_in(loaded.path, kModelFile));
  const std::vector<ParameterSpec> specs =
      expected_parameters(file_in(loaded.path, kConfigFile), loaded.config, file);
  expect_fit(file_in(loaded.path, kModelFile), file, specs);
  loaded.arena = std::make_unique<ParameterArena>(specs, loaded.train_config.seed);
  for (const auto& [name, values] : file.tensors) loaded.arena->assign(name, values);
  loaded.model = std::make_unique<Limoe>(loaded.config, *loaded.arena);
  return loaded;
}

LoadedTrainer load_trainer(const std::string& checkpoint) {
  verify_checkpoint(checkpoint);
  const nlohmann::json json = read_trainer(file_in(checkpoint, kTrainerFile));
  LoadedTrainer loaded;
  loaded.state.step = json["step"];
  loaded.state.samples_seen = json["samples_seen"];
  loaded.state.loader = {json["loader_epoch"], json["loader_step"]};
  loaded.state.notes = json.value("notes", nlohmann::json::object()).dump();
  loaded.optimizer_state = read_safetensors(file_in(checkpoint, kOptimizerFile)).tensors;
  return loaded;
}

}  // namespace limoe
