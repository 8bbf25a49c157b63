#include "models/train/checkpoint.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "models/train/checkpoint_files.h"
#include "models/train/checkpoint_folders.h"
#include "models/train/fields.h"
#include "models/train/manifest.h"
#include "models/train/readable.h"
#include "models/train/small_file.h"
#include "tensor/atomic_file.h"
#include "tensor/error.h"
#include "tensor/safetensors.h"

namespace limoe {
namespace {

namespace fs = std::filesystem;

// What configs and JSON need at least. Whether the rest fits is found out by writing it.
constexpr int64_t kBytesBesidesTensors = 64 << 10;

std::map<std::string, Tensor> named_values(const ParameterArena& arena) {
  std::map<std::string, Tensor> tensors;
  for (const Parameter& parameter : arena.parameters())
    tensors.emplace(parameter.spec.name, parameter.var.value());
  return tensors;
}

std::string trainer_json(const TrainerState& state) {
  const nlohmann::ordered_json notes = nlohmann::ordered_json::parse(state.notes, nullptr, false);
  if (!notes.is_object()) throw ValueError("checkpoint: trainer.notes is no JSON object");
  const std::string text = nlohmann::ordered_json{{"format", kTrainerFormat},
                                                  {"version", kCheckpointVersion},
                                                  {"step", state.step},
                                                  {"samples_seen", state.samples_seen},
                                                  {"loader_epoch", state.loader.epoch},
                                                  {"loader_step", state.loader.step},
                                                  {"notes", notes}}
                               .dump(1) +
                           "\n";
  if (text.size() > kMostSmallFileBytes)
    throw ValueError("checkpoint: trainer.notes makes ", kTrainerFile, " of ", text.size(),
                     " bytes; expected at most ", kMostSmallFileBytes, ", which is what is read back");
  return text;
}

// A full disk is found out before anything is written, where the system can tell.
void expect_room(const std::string& folder, const CheckpointContents& contents) {
  int64_t needed = kBytesBesidesTensors;
  for (const Parameter& parameter : contents.arena.parameters())
    needed += int64_t(parameter.var.value().byte_count());
  for (const auto& [name, tensor] : contents.optimizer_state)
    if (tensor.defined()) needed += int64_t(tensor.byte_count());
  std::error_code unknown;  // then writing will tell
  const fs::space_info space = fs::space(folder, unknown);
  if (!unknown && space.available < uintmax_t(needed))
    throw FileError(folder, ": needs ", readable_bytes(double(needed)), "; ",
                    readable_bytes(double(space.available)), " are free on its disk");
}

void write_files(const UnfinishedCheckpoint& folder, const CheckpointContents& contents) {
  const std::map<std::string, std::string> metadata{{"format", kTensorFormat},
                                                    {"version", std::to_string(kCheckpointVersion)},
                                                    {"step", std::to_string(contents.trainer.step)}};
  write_safetensors(folder / kModelFile, named_values(contents.arena), metadata);
  write_safetensors(folder / kOptimizerFile, contents.optimizer_state, metadata);
  write_text_file(folder / kTrainerFile, trainer_json(contents.trainer));
  write_text_file(folder / kConfigFile,
                  to_toml(contents.model, "The model") + "\n" + to_toml(contents.train, "Training"));
  contents.tokenizer.save(folder / kTokenizerFile);
  write_manifest(folder.path(), checkpoint_files());
}

}  // namespace

const std::vector<std::string>& checkpoint_files() {
  static const std::vector<std::string> all{kModelFile, kOptimizerFile, kTrainerFile, kConfigFile,
                                            kTokenizerFile};
  return all;
}

SavedCheckpoint save_checkpoint(const std::string& run, const CheckpointContents& contents,
                                const KeepRule& keep) {
  if (keep.newest < 1) throw ValueError("checkpoint: keep is ", keep.newest, "; expected 1 or more");
  if (keep.every_steps < 0)
    throw ValueError("checkpoint: keep every steps is ", keep.every_steps, "; expected 0 or more");
  const fs::path parent = fs::path(run) / kCheckpointsFolder;
  const fs::path path = parent / checkpoint_name(contents.trainer.step);
  {
    UnfinishedCheckpoint folder(parent);
    expect_room(folder.path(), contents);
    write_files(folder, contents);
    folder.publish(path);
  }
  verify_checkpoint(path.string());  // before an older one is given up for it
  return {path.string(), delete_older(parent, path, keep)};
}

}  // namespace limoe
