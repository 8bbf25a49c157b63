#include "models/train/checkpoint_folders.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "tensor/atomic_file.h"
#include "tensor/error.h"

namespace limoe {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPrefix = "step-";
constexpr const char* kTemporaryPrefix = ".tmp-";
constexpr int kDigits = 8;
constexpr size_t kMostDigits = 18;  // what 63 bits hold for certain

void rename_folder(const fs::path& from, const fs::path& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0)
    throw FileError(to.string(), ": cannot be renamed from ", from.string(), ": ", std::strerror(errno));
}

// What is in a folder; nothing where there is no folder.
std::vector<fs::path> entries_of(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> paths;
  for (fs::directory_iterator next(folder, error), end; !error && next != end; next.increment(error))
    paths.push_back(next->path());
  if (error && error != std::errc::no_such_file_or_directory)
    throw FileError(folder.string(), ": cannot be listed: ", error.message());
  return paths;
}

void remove_left_overs(const fs::path& parent) {
  std::error_code ignored;  // left-overs are a waste of space, no reason not to save
  for (const fs::path& path : entries_of(parent))
    if (path.filename().string().starts_with(kTemporaryPrefix)) fs::remove_all(path, ignored);
}

// Takes its name away first: a removal that a crash cuts short must not leave half a checkpoint that looks
// like one.
std::error_code remove_checkpoint(const fs::path& path) {
  const fs::path nameless = path.parent_path() / (kTemporaryPrefix + path.filename().string());
  std::error_code error;
  fs::rename(path, nameless, error);
  if (!error) fs::remove_all(nameless, error);
  return error;
}

}  // namespace

std::string checkpoint_name(int64_t step) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%0*lld", kDigits, static_cast<long long>(step));
  return std::string(kPrefix) + digits;
}

int64_t step_of_checkpoint(const std::string& name) {
  if (!name.starts_with(kPrefix)) return -1;
  const std::string digits = name.substr(std::strlen(kPrefix));
  const bool number = !digits.empty() && digits.size() <= kMostDigits &&
                      digits.find_first_not_of("0123456789") == std::string::npos;
  return number ? std::stoll(digits) : -1;
}

std::vector<fs::path> checkpoints_newest_first(const fs::path& folder) {
  std::vector<std::pair<int64_t, fs::path>> found;
  for (const fs::path& path : entries_of(folder))
    if (const int64_t step = step_of_checkpoint(path.filename().string()); step >= 0)
      found.emplace_back(step, path);
  std::sort(found.rbegin(), found.rend());
  std::vector<fs::path> paths;
  for (const auto& [step, path] : found) paths.push_back(path);
  return paths;
}

UnfinishedCheckpoint::UnfinishedCheckpoint(const fs::path& parent)
    : parent_(parent), path_(parent / (kTemporaryPrefix + std::to_string(getpid()))) {
  make_folders(parent.string());
  remove_left_overs(parent);
  std::error_code error;
  if (!fs::create_directory(path_, error))
    throw FileError(path_.string(), ": cannot be made: ", error ? error.message() : "it is there already");
}

UnfinishedCheckpoint::~UnfinishedCheckpoint() {
  std::error_code ignored;  // a destructor must not throw; the next save tries it again
  fs::remove_all(path_, ignored);
}

void UnfinishedCheckpoint::publish(const fs::path& as) {
  flush_to_disk(path_.string());
  std::error_code error;
  if (!fs::exists(as, error)) {
    rename_folder(path_, as);
  } else if (renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, as.c_str(), RENAME_EXCHANGE) != 0) {
    // This file system cannot exchange two names. The old one steps aside, so that one of the two is there
    // under some name all the time, and steps back when the new one cannot take its place.
    const fs::path aside = path_.string() + "-replaced";
    rename_folder(as, aside);
    try {
      rename_folder(path_, as);
    } catch (const FileError&) {
      fs::rename(aside, as, error);
      throw;
    }
    fs::remove_all(aside, error);
  }
  flush_to_disk(parent_.string());
}

std::vector<std::string> delete_older(const fs::path& folder, const fs::path& newest, const KeepRule& rule) {
  const std::vector<fs::path> all = checkpoints_newest_first(folder);
  std::vector<std::string> warnings;
  int64_t kept = 0;
  for (auto next = std::find(all.begin(), all.end(), newest); next != all.end(); ++next) {
    const int64_t step = step_of_checkpoint(next->filename().string());
    const bool major = rule.every_steps > 0 && step % rule.every_steps == 0;
    if (major || kept++ < rule.newest) continue;
    if (const std::error_code error = remove_checkpoint(*next))
      warnings.push_back(concatenate(next->string(), ": cannot be removed: ", error.message(),
                                     "; this is tried again after the next save"));
  }
  return warnings;
}

}  // namespace limoe
