// A file that appears whole or not at all: the bytes go to a temporary sibling, are flushed to the disk, and
// the sibling is renamed onto the path. Whoever has the old file open keeps reading the old bytes. After a
// crash the path holds either the old file or the new one.
#pragma once

#include <cstddef>
#include <string>

namespace limoe {

class AtomicFile {
 public:
  explicit AtomicFile(const std::string& path);  // throws FileError when the sibling cannot be made
  ~AtomicFile();                                 // without commit() the path is left as it was
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* bytes, size_t count);  // throws FileError, by path and reason
  void commit();                                // flush, rename, flush the folder; likewise

 private:
  [[noreturn]] void fail(const char* what) const;

  const std::string path_, temporary_;
  int descriptor_ = -1;
  bool committed_ = false;
};

}  // namespace limoe
