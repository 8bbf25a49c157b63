// RUN/checkpoints/ as a folder of folders: their names, how one appears whole or not at all, and which go.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "models/train/checkpoint.h"

namespace limoe {

inline constexpr const char* kCheckpointsFolder = "checkpoints";

std::string checkpoint_name(int64_t step);            // "step-00001234"
int64_t step_of_checkpoint(const std::string& name);  // -1 for a folder that is no checkpoint

std::vector<std::filesystem::path> checkpoints_newest_first(const std::filesystem::path& folder);

// The folder a checkpoint is written into; without publish() it goes away with everything in it. Nobody else
// may be saving into `parent` (run_lock.h): what a process that died while saving has left there is removed.
class UnfinishedCheckpoint {
 public:
  explicit UnfinishedCheckpoint(const std::filesystem::path& parent);  // throws FileError
  ~UnfinishedCheckpoint();
  UnfinishedCheckpoint(const UnfinishedCheckpoint&) = delete;
  UnfinishedCheckpoint& operator=(const UnfinishedCheckpoint&) = delete;

  std::string operator/(const char* name) const { return (path_ / name).string(); }
  std::string path() const { return path_.string(); }

  // Flushes the folder, gives it its name and flushes that. A folder of that name is replaced at one blow.
  // Throws FileError: then the name is as it was, or, when only the last flush failed, the new one.
  void publish(const std::filesystem::path& as);

 private:
  std::filesystem::path parent_, path_;
};

// Removes what `rule` does not keep; `newest` is the one that was just saved. Newer ones are damaged, or the
// run would have gone on from there: they neither count nor are touched. Gives back a warning for each that
// could not be removed; that is tried again after the next save.
std::vector<std::string> delete_older(const std::filesystem::path& folder,
                                      const std::filesystem::path& newest, const KeepRule& rule);

}  // namespace limoe
