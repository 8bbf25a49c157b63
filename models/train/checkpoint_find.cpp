// Which checkpoint of a run to believe.
#include <filesystem>

#include "models/train/checkpoint.h"
#include "models/train/checkpoint_files.h"
#include "models/train/checkpoint_folders.h"
#include "models/train/manifest.h"
#include "tensor/error.h"

namespace limoe {

namespace fs = std::filesystem;

void verify_checkpoint(const std::string& path) {
  verify_manifest(path, checkpoint_files());
}

bool has_checkpoints(const std::string& run) {
  return !checkpoints_newest_first(fs::path(run) / kCheckpointsFolder).empty();
}

FoundCheckpoint newest_valid_checkpoint(const std::string& run) {
  FoundCheckpoint found;
  for (const fs::path& path : checkpoints_newest_first(fs::path(run) / kCheckpointsFolder)) {
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
  std::error_code unknown;  // what cannot be looked at is as good as absent
  if (!fs::exists(path, unknown))
    throw FileError(path, ": does not exist; expected a run's folder or one of its checkpoints");
  if (step_of_checkpoint(fs::path(path + "/").lexically_normal().parent_path().filename().string()) >= 0 ||
      fs::exists(fs::path(path) / kManifestFile, unknown)) {
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
