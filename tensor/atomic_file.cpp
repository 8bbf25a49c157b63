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

namespace fs = std::filesystem;

// One system call moves at most 2 GiB.
constexpr size_t kLargestWrite = size_t(1) << 30;

// Unique among the writers of this machine, so that two of them never share a sibling.
std::string sibling_of(const std::string& path) {
  static std::atomic<int> count{0};
  return concatenate(path, ".tmp-", getpid(), "-", count++);
}

std::string folder_of(const std::string& path) {
  const fs::path folder = fs::path(path).parent_path();
  return folder.empty() ? "." : folder.string();
}

int open_again_if_interrupted(const char* path, int flags) {
  int descriptor = -1;
  do {
    descriptor = open(path, flags, 0666);
  } while (descriptor < 0 && errno == EINTR);
  return descriptor;
}

int flush_again_if_interrupted(int descriptor) {
  int result = 0;
  do {
    result = fsync(descriptor);
  } while (result != 0 && errno == EINTR);
  return result;
}

}  // namespace

AtomicFile::AtomicFile(const std::string& path) : path_(path), temporary_(sibling_of(path)) {
  descriptor_ = open_again_if_interrupted(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC);
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
  if (!write_fully(descriptor_, bytes, count)) fail("cannot be written");
}

void AtomicFile::commit() {
  if (flush_again_if_interrupted(descriptor_) != 0) fail("cannot be flushed to the disk");
  const int descriptor = descriptor_;
  descriptor_ = -1;
  // Linux has closed the descriptor even where it says EINTR, and the bytes are on the disk already.
  if (close(descriptor) != 0 && errno != EINTR) fail("cannot be closed");
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0)
    fail("cannot be renamed from its temporary sibling");
  committed_ = true;
  flush_to_disk(folder_of(path_));
}

void write_text_file(const std::string& path, const std::string& text) {
  AtomicFile file(path);
  file.write(text.data(), text.size());
  file.commit();
}

bool write_fully(int descriptor, const void* bytes, size_t count) {
  const char* from = static_cast<const char*>(bytes);
  while (count > 0) {
    const ssize_t written = ::write(descriptor, from, std::min(count, kLargestWrite));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    from += written;
    count -= size_t(written);
  }
  return true;
}

void flush_to_disk(const std::string& path) {
  const int descriptor = open_again_if_interrupted(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0)
    throw FileError(path, ": cannot be opened to flush it to the disk: ", std::strerror(errno));
  const bool flushed = flush_again_if_interrupted(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP;
  const int reason = errno;
  close(descriptor);
  if (!flushed) throw FileError(path, ": cannot be flushed to the disk: ", std::strerror(reason));
}

void make_folders(const std::string& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) return;
  const std::string above = folder_of(fs::path(path).lexically_normal().string());
  if (above != path) make_folders(above);
  fs::create_directory(path, error);
  if (error) throw FileError(path, ": the folder cannot be made: ", error.message());
  if (!fs::is_directory(path, error)) throw FileError(path, ": is no folder; expected one, or nothing");
  flush_to_disk(above);
}

}  // namespace limoe
