// Writing into a temporary folder and renaming it into place.
#include "data/output_folder.h"

#include <unistd.h>

#include <filesystem>

#include "tensor/error.h"

namespace limoe {
namespace fs = std::filesystem;

namespace {

void check_target(const std::string& out, bool force) {
  std::error_code error;
  if (!fs::exists(out, error)) return;
  if (!fs::is_directory(out)) throw FileError(out, ": is a file; expected a folder, or a name not yet used");
  if (fs::is_empty(out)) return;
  if (!force) throw FileError(out, ": folder is not empty; expected a new or empty folder, or --force");
  if (!fs::exists(out + "/dataset.json"))
    throw FileError(out, ": folder holds other files than a data set (no dataset.json); not replaced");
}

std::string without_trailing_slash(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

}  // namespace

OutputFolder::OutputFolder(const std::string& out, bool force) : out_(without_trailing_slash(out)) {
  if (out_.empty()) throw UsageError("data: out is empty; expected the folder to write");
  try {
    check_target(out_, force);
    temporary_ = out_ + ".tmp-" + std::to_string(getpid());
    fs::create_directories(temporary_);
  } catch (const fs::filesystem_error& error) {
    throw FileError(out_, ": cannot be created: ", error.code().message());
  }
}

OutputFolder::~OutputFolder() {
  std::error_code ignored;  // a destructor has no one to tell
  if (!committed_) fs::remove_all(temporary_, ignored);
}

void OutputFolder::commit() {
  std::string old = out_ + ".old-" + std::to_string(getpid());
  try {
    bool replace = fs::exists(out_);
    if (replace) fs::rename(out_, old);
    fs::rename(temporary_, out_);
    committed_ = true;
    if (replace) fs::remove_all(old);
  } catch (const fs::filesystem_error& error) {
    throw FileError(out_, ": cannot be renamed into place: ", error.code().message());
  }
}

}  // namespace limoe
