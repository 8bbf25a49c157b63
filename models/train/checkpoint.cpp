#include "models/train/checkpoint.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "models/train/checkpoint_files.h"
#include "models/train/fields.h"
#include "models/train/manifest.h"
#include "tensor/atomic_file.h"
#include "tensor/error.h"
#include "tensor/safetensors.h"

namespace limoe {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFolder = "checkpoints";
constexpr const char* kPrefix = "step-";
constexpr const char* kTemporaryPrefix = ".tmp-";
constexpr int kDigits = 8;

std::string name_of_step(int64_t step) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%0*lld", kDigits, static_cast<long long>(step));
  return std::string(kPrefix) + digits;
}

// -1 for a folder that is no checkpoint.
int64_t step_of_name(const std::string& name) {
  if (!name.starts_with(kPrefix)) return -1;
  const std::string digits = name.substr(std::strlen(kPrefix));
  const bool number =
      !digits.empty() && digits.size() <= 18 && digits.find_first_not_of("0123456789") == std::string::npos;
  return number ? std::stoll(digits) : -1;
}

std::vector<fs::path> checkpoints_newest_first(const fs::path& folder) {
  std::vector<std::pair<int64_t, fs::path>> found;
  std::error_code absent;  // no folder: no checkpoints
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, absent))
    if (const int64_t step = step_of_name(entry.path().filename().string()); step >= 0)
      found.emplace_back(step, entry.path());
  std::sort(found.rbegin(), found.rend());
  std::vector<fs::path> paths;
  for (const auto& [step, path] : found) paths.push_back(path);
  return paths;
}

void rename_folder(const fs::path& from, const fs::path& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0)
    throw FileError(to.string(), ": cannot be renamed from ", from.string(), ": ", std::strerror(errno));
}

void write_text(const fs::path& path, const std::string& text) {
  AtomicFile file(path.string());
  file.write(text.data(), text.size());
  file.commit();
}

// The folder a checkpoint is written into; without publish() it goes away with everything in it.
class UnfinishedCheckpoint {
 public:
  explicit UnfinishedCheckpoint(const fs::path& parent) : parent_(parent) {
    std::error_code error;
    fs::create_directories(parent, error);
    if (error) throw FileError(parent.string(), ": cannot be made: ", error.message());
    remove_left_overs();
    path_ = parent / (kTemporaryPrefix + std::to_string(getpid()));
    if (!fs::create_directory(path_, error))
      throw FileError(path_.string(), ": cannot be made: ", error.message());
  }
  ~UnfinishedCheckpoint() {
    std::error_code ignored;  // a destructor must not throw
    if (!published_) fs::remove_all(path_, ignored);
  }
  UnfinishedCheckpoint(const UnfinishedCheckpoint&) = delete;
  UnfinishedCheckpoint& operator=(const UnfinishedCheckpoint&) = delete;

  fs::path operator/(const char* name) const { return path_ / name; }
  const fs::path& path() const { return path_; }

  void publish(const fs::path& as) {
    flush_to_disk(path_.string());
    if (fs::exists(as)) {  // step aside, so that one of the two is always there under some name
      const fs::path aside = parent_ / (kTemporaryPrefix + std::to_string(getpid()) + "-replaced");
      rename_folder(as, aside);
      rename_folder(path_, as);
      fs::remove_all(aside);
    } else {
      rename_folder(path_, as);
    }
    published_ = true;
    flush_to_disk(parent_.string());
  }

 private:
  // What a process that died while saving has left.
  void remove_left_overs() const {
    std::error_code ignored;  // left-overs are a waste of space, no reason not to save
    for (const fs::directory_entry& entry : fs::directory_iterator(parent_, ignored))
      if (entry.path().filename().string().starts_with(kTemporaryPrefix))
        fs::remove_all(entry.path(), ignored);
  }

  fs::path parent_, path_;
  bool published_ = false;
};

// Keeps `newest` and keep - 1 older ones. Newer ones are damaged, or the run would have gone on from there:
// they neither count nor are touched.
void delete_older(const fs::path& folder, const fs::path& newest, int64_t keep) {
  const std::vector<fs::path> all = checkpoints_newest_first(folder);
  auto next = std::find(all.begin(), all.end(), newest);
  for (; next != all.end(); ++next) {
    std::error_code
        ignored;  // the new one is safe; what cannot be deleted now is tried again at the next save
    if (keep-- <= 0) fs::remove_all(*next, ignored);
  }
}

std::map<std::string, Tensor> named_values(const ParameterArena& arena) {
  std::map<std::string, Tensor> tensors;
  for (const Parameter& parameter : arena.parameters())
    tensors.emplace(parameter.spec.name, parameter.var.value());
  return tensors;
}

std::string trainer_json(const TrainerState& state) {
  const nlohmann::ordered_json notes = nlohmann::ordered_json::parse(state.notes, nullptr, false);
  if (!notes.is_object()) throw ValueError("checkpoint: trainer.notes is no JSON object");
  return nlohmann::ordered_json{{"format", kTrainerFormat},
                                {"version", kCheckpointVersion},
                                {"step", state.step},
                                {"samples_seen", state.samples_seen},
                                {"loader_epoch", state.loader.epoch},
                                {"loader_step", state.loader.step},
                                {"notes", notes}}
             .dump(1) +
         "\n";
}

void write_files(const UnfinishedCheckpoint& folder, const CheckpointContents& contents) {
  const std::map<std::string, std::string> metadata{{"format", kTensorFormat},
                                                    {"version", std::to_string(kCheckpointVersion)},
                                                    {"step", std::to_string(contents.trainer.step)}};
  write_safetensors(folder / kModelFile, named_values(contents.arena), metadata);
  write_safetensors(folder / kOptimizerFile, contents.optimizer_state, metadata);
  write_text(folder / kTrainerFile, trainer_json(contents.trainer));
  write_text(folder / kConfigFile,
             to_toml(contents.model, "The model") + "\n" + to_toml(contents.train, "Training"));
  contents.tokenizer.save(folder / kTokenizerFile);
  write_manifest(folder.path().string(), checkpoint_files());
}

}  // namespace

const std::vector<std::string>& checkpoint_files() {
  static const std::vector<std::string> all{kModelFile, kOptimizerFile, kTrainerFile, kConfigFile,
                                            kTokenizerFile};
  return all;
}

std::string save_checkpoint(const std::string& run, const CheckpointContents& contents, int64_t keep) {
  if (keep < 1) throw ValueError("checkpoint: keep is ", keep, "; expected 1 or more");
  const fs::path parent = fs::path(run) / kFolder;
  const fs::path path = parent / name_of_step(contents.trainer.step);
  UnfinishedCheckpoint folder(parent);
  write_files(folder, contents);
  folder.publish(path);
  delete_older(parent, path, keep);
  return path.string();
}

void verify_checkpoint(const std::string& path) {
  verify_manifest(path, checkpoint_files());
}

FoundCheckpoint newest_valid_checkpoint(const std::string& run) {
  FoundCheckpoint found;
  for (const fs::path& path : checkpoints_newest_first(fs::path(run) / kFolder)) {
    try {
      verify_checkpoint(path.string());
      found.path = path.string();
      return found;
    } catch (const FileError& error) {
      found.warnings.push_back(concatenate(error.what(), "; the checkpoint before it is used"));
    }
  }
  return found;
}

FoundCheckpoint find_checkpoint(const std::string& path) {
  if (!fs::exists(path))
    throw FileError(path, ": does not exist; expected a run's folder or one of its checkpoints");
  if (step_of_name(fs::path(path).lexically_normal().filename().string()) >= 0 ||
      fs::exists(fs::path(path) / kManifestFile)) {
    verify_checkpoint(path);
    return {path, {}};
  }
  const FoundCheckpoint found = newest_valid_checkpoint(path);
  if (!found.path.empty()) return found;
  if (!found.warnings.empty())
    throw FileError(path, ": has no valid checkpoint left; the newest one: ", found.warnings[0]);
  throw FileError(path, ": holds no checkpoint; expected a run's folder or one of its checkpoints");
}

}  // namespace limoe
