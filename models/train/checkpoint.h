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
// Saving makes a sibling `.tmp-...`, flushes every file, the manifest, the folder, renames it, flushes its
// parent, and reads the checksums back: after a crash or a power cut there is the whole new checkpoint or
// none of it, and older ones were not touched. Only then are old ones deleted. Reading believes nothing:
// sizes and checksums are compared before a file is parsed. One process at a time may save into a run
// (run_lock.h).
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

struct KeepRule {
  int64_t newest = 1;       // so many
  int64_t every_steps = 0;  // and those whose step is a multiple of this, for ever; 0: none
};

struct SavedCheckpoint {
  std::string path;
  std::vector<std::string> warnings;  // old ones that could not be deleted, and why
};

// Writes checkpoints/step-... of the run and then deletes what `keep` does not keep. A checkpoint of the same
// step is replaced. Throws FileError; the checkpoints that were there before are then as they were.
SavedCheckpoint save_checkpoint(const std::string& run, const CheckpointContents& contents,
                                const KeepRule& keep);

// Throws FileError naming the file unless every file of the manifest is there, whole and unchanged.
void verify_checkpoint(const std::string& path);

bool has_checkpoints(const std::string& run);  // valid or not

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
