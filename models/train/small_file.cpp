#include "models/train/small_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "tensor/error.h"

namespace limoe {
namespace {

struct Descriptor {
  ~Descriptor() {
    if (number >= 0) close(number);
  }
  const int number;
};

// Without O_NONBLOCK, opening a pipe would wait for its writer before it can be refused.
int open_for_reading(const std::string& path) {
  int number = -1;
  do {
    number = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  } while (number < 0 && errno == EINTR);
  return number;
}

}  // namespace

std::string read_small_file(const std::string& path, const char* expected, size_t most) {
  const Descriptor file{open_for_reading(path)};
  if (file.number < 0)
    throw FileError(path, ": cannot be opened: ", std::strerror(errno), "; expected ", expected);
  struct stat status {};
  if (fstat(file.number, &status) != 0 || !S_ISREG(status.st_mode))
    throw FileError(path, ": is no regular file; expected ", expected);
  if (uint64_t(status.st_size) > most)
    throw FileError(path, ": has ", status.st_size, " bytes; expected ", expected, ", of at most ", most);
  std::string text(size_t(status.st_size), '\0');
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t got = read(file.number, text.data() + done, text.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw FileError(path, ": cannot be read: ", std::strerror(errno));
    if (got == 0) break;  // it became shorter meanwhile
    done += size_t(got);
  }
  text.resize(done);
  return text;
}

}  // namespace limoe
