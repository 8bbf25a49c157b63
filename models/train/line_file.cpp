#include "models/train/line_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "tensor/atomic_file.h"
#include "tensor/error.h"

namespace limoe {

LineFile::LineFile(const std::string& path) : path_(path) {
  descriptor_ = open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor_ < 0) throw FileError(path, ": cannot be opened for writing: ", std::strerror(errno));
  const off_t size = lseek(descriptor_, 0, SEEK_END);
  char last = '\n';
  if (size > 0 && pread(descriptor_, &last, 1, size - 1) == 1 && last != '\n' &&
      !write_fully(descriptor_, "\n", 1)) {
    const int reason = errno;
    close(descriptor_);
    throw FileError(path, ": cannot be written: ", std::strerror(reason));
  }
}

LineFile::~LineFile() {
  close(descriptor_);
}

void LineFile::append(const std::string& line) {
  const off_t before = lseek(descriptor_, 0, SEEK_END);
  const std::string whole = (torn_ ? "\n" : "") + line + '\n';
  if (write_fully(descriptor_, whole.data(), whole.size())) {
    torn_ = false;
    return;
  }
  const int reason = errno;
  const bool as_before = before >= 0 && ftruncate(descriptor_, before) == 0;
  torn_ = torn_ || !as_before;
  throw FileError(path_, ": cannot be written: ", std::strerror(reason),
                  as_before ? "" : "; its last line may be cut short");
}

}  // namespace limoe
