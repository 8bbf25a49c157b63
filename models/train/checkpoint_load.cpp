#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "models/limoe/parameters.h"
#include "models/train/checkpoint.h"
#include "models/train/checkpoint_files.h"
#include "models/train/fields.h"
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
    validate(model);
  } catch (const FileError&) {
    throw;
  } catch (const Error& error) {
    throw FileError(path, ": ", error.what());
  }
}

void read_parameters(const std::string& path, ParameterArena& arena) {
  const SafetensorsFile file = read_safetensors(path);
  if (const auto format = file.metadata.find("format");
      format == file.metadata.end() || format->second != kTensorFormat)
    throw FileError(path, ": its metadata has no format \"", kTensorFormat, "\"; expected a model's tensors");
  std::vector<std::string> known;
  for (const Parameter& parameter : arena.parameters()) {
    const std::string& name = parameter.spec.name;
    known.push_back(name);
    const auto found = file.tensors.find(name);
    if (found == file.tensors.end())
      throw FileError(path, ": ", name, " is missing; expected ", parameter.spec.shape);
    const Tensor& values = found->second;
    if (values.shape() != parameter.spec.shape)
      throw FileError(path, ": ", name, " is ", values.shape(), "; expected ", parameter.spec.shape);
    if (values.dtype() != parameter.var.dtype())
      throw FileError(path, ": ", name, " is ", values.dtype(), "; expected ", parameter.var.dtype());
    arena.assign(name, values);
  }
  for (const auto& [name, values] : file.tensors)
    if (std::find(known.begin(), known.end(), name) == known.end())
      throw FileError(path, ": ", name, " is unknown to the config beside it; the nearest parameter is ",
                      nearest_name(name, known));
}

nlohmann::json read_trainer(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw FileError(path, ": cannot be opened");
  const nlohmann::json json = nlohmann::json::parse(file, nullptr, false);
  if (!json.is_object() || !json.contains("format") || json["format"] != kTrainerFormat)
    throw FileError(path, ": is damaged; expected the state of a trainer");
  if (!json.contains("version") || json["version"] != kCheckpointVersion)
    throw FileError(path, ": is of another version; expected ", kCheckpointVersion);
  for (const char* key : {"step", "samples_seen", "loader_epoch", "loader_step"})
    if (!json.contains(key) || !json[key].is_number_unsigned())
      throw FileError(path, ": has no ", key, "; expected a whole number of 0 or more");
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
  loaded.arena = std::make_unique<ParameterArena>(parameter_specs(loaded.config), loaded.train_config.seed);
  read_parameters(file_in(loaded.path, kModelFile), *loaded.arena);
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
