// Checkpoints: folders that are written whole or not at all.
//
//   RUN/checkpoints/step-00001234/
//     model.safetensors      every parameter by its name (models/limoe/parameters.h)
//     optimizer.safetensors  the optimizer's state by name (models/optim/optimizer.h)
//     trainer.json           step, samples seen, position of the loader, the trainer's own notes
//     config.toml            every key of model and trainer, as resolved
//     tokenizer.model        what load_tokenizer() reads
//     MANIFEST.json          size and CRC-32 of each of the files above; written last
//
// Saving makes a sibling `.tmp-...`, flushes every file, then the folder, renames it and flushes its parent:
// after a crash there is the whole new checkpoint or none of it, and older ones were not touched. Only then
// are old ones deleted. Reading believes nothing: sizes and checksums are compared before a file is parsed.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "autograd/parameter.h"
#include "data/batch.h"
#include "data/tokenizer.h"
#include "models/limoe/limoe.h"
#include "models/train/config.h"

namespace limoe {

struct TrainerState {
  int64_t step = 0;  // steps done
  int64_t samples_seen = 0;
  LoaderPosition loader;     // of the next batch
  std::string notes = "{}";  // a JSON object the trainer may keep more in
};

struct CheckpointContents {
  const LimoeConfig& model;
  const TrainConfig& train;
  const ParameterArena& arena;
  const std::map<std::string, Tensor>& optimizer_state;
  const TrainerState& trainer;
  const Tokenizer& tokenizer;
};

// Writes checkpoints/step-... of the run and then deletes all but the `keep` newest. A checkpoint of the same
// step is replaced. Gives back the path. Throws FileError; what was there before is then as it was.
std::string save_checkpoint(const std::string& run, const CheckpointContents& contents, int64_t keep);

// Throws FileError naming the file unless every file of the manifest is there, whole and unchanged.
void verify_checkpoint(const std::string& path);

struct FoundCheckpoint {
  std::string path;                   // empty: there is none
  std::vector<std::string> warnings;  // newer ones that had to be passed over, and why
};
FoundCheckpoint newest_valid_checkpoint(const std::string& run);

// The checkpoint that `path` means: itself, or the newest valid one when it is a run's folder. Throws
// FileError when there is none.
FoundCheckpoint find_checkpoint(const std::string& path);

struct LoadedModel {
  LimoeConfig config;
  TrainConfig train_config;
  std::unique_ptr<ParameterArena> arena;
  std::unique_ptr<Limoe> model;
  std::shared_ptr<const Tokenizer> tokenizer;
  int64_t step = 0;
  std::string path;                   // of the checkpoint
  std::vector<std::string> warnings;  // as above
};

// Throws FileError naming the tensor, what was found and what was expected when a file does not fit its
// config.
LoadedModel load_model(const std::string& run_or_checkpoint);

struct LoadedTrainer {
  TrainerState state;
  std::map<std::string, Tensor> optimizer_state;
};
LoadedTrainer load_trainer(const std::string& checkpoint);

}  // namespace limoe
