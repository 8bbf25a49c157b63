#include "tensor/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "tensor/error.h"

namespace limoe {
namespace {

// One system call moves at most 2 GiB.
constexpr size_t kLargestWrite = size_t(1) << 30;

// Unique among the writers of this machine, so that two of them never share a sibling.
std::string sibling_of(const std::string& path) {
  static std::atomic<int> count{0};
  return concatenate(path, ".tmp-", getpid(), "-", count++);
}

}  // namespace

AtomicFile::AtomicFile(const std::string& path) : path_(path), temporary_(sibling_of(path)) {
  descriptor_ = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail("cannot be created");
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) close(descriptor_);
  if (!committed_) unlink(temporary_.c_str());
}

void AtomicFile::fail(const char* what) const {
  throw FileError(path_, ": ", what, ": ", std::strerror(errno));
}

void AtomicFile::write(const void* bytes, size_t count) {
  const char* from = static_cast<const char*>(bytes);
  while (count > 0) {
    const ssize_t written = ::write(descriptor_, from, std::min(count, kLargestWrite));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("cannot be written");
    from += written;
    count -= size_t(written);
  }
}

void AtomicFile::commit() {
  if (fsync(descriptor_) != 0) fail("cannot be flushed to the disk");
  const int descriptor = descriptor_;
  descriptor_ = -1;
  if (close(descriptor) != 0) fail("cannot be closed");
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0)
    fail("cannot be renamed from its temporary sibling");
  committed_ = true;
  // The rename itself is on the disk only when the folder is. Some file systems refuse to flush a folder; the
  // file is in place all the same.
  const std::filesystem::path folder = std::filesystem::path(path_).parent_path();
  const int folder_descriptor =
      open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder_descriptor < 0) return;
  fsync(folder_descriptor);
  close(folder_descriptor);
}

}  // namespace limoe
