#include "models/train/run_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "tensor/error.h"

namespace limoe {
namespace {

// Which process has it, for the message alone: who is locked out has to find it.
std::string owner_in(int descriptor) {
  char text[24];
  const ssize_t got = pread(descriptor, text, sizeof text, 0);
  const std::string digits(text, size_t(got > 0 ? got : 0));
  const size_t length = digits.find_first_not_of("0123456789");
  const std::string number = digits.substr(0, length);
  return number.empty() ? "another process" : "process " + number;
}

}  // namespace

RunLock::RunLock(const std::string& folder) {
  const std::string path = folder + "/" + kRunLockFile;
  descriptor_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor_ < 0) throw FileError(path, ": cannot be created: ", std::strerror(errno));
  if (flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    const int reason = errno;
    const std::string owner = owner_in(descriptor_);
    if (reason == EWOULDBLOCK) {
      close(descriptor_);
      throw FileError(folder, ": ", owner, " is training into it; expected another --out, or its end");
    }
    warning_ = concatenate(path, ": cannot be locked: ", std::strerror(reason),
                           "; nothing keeps a second process out of this run folder");
  }
  // The number helps whoever is locked out; without it the lock holds as well.
  const std::string number = std::to_string(getpid()) + "\n";
  if (ftruncate(descriptor_, 0) != 0 || pwrite(descriptor_, number.data(), number.size(), 0) < 0) return;
}

RunLock::~RunLock() {
  close(descriptor_);
}

}  // namespace limoe
