// One process a run folder: an flock(2) on RUN/.lock, held as long as this object lives. The system lets go
// of it when the process ends, however it ends; the file itself stays and means nothing.
#pragma once

#include <string>

namespace limoe {

inline constexpr const char* kRunLockFile = ".lock";

class RunLock {
 public:
  // Throws FileError when another process has the folder, naming it, or when the folder cannot be written.
  explicit RunLock(const std::string& folder);
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

  // Some network file systems have no locks: then nothing is held, and this says so. Empty otherwise.
  const std::string& warning() const { return warning_; }

 private:
  int descriptor_ = -1;
  std::string warning_;
};

}  // namespace limoe
