// Files and folders that survive a crash and a power cut.
//
// AtomicFile appears whole or not at all: the bytes go to a temporary sibling, are flushed to the disk, the
// sibling is renamed onto the path, and the folder, which holds the name, is flushed. Whoever has the old
// file open keeps reading the old bytes. After a crash the path holds either the old file or the new one;
// what may be left of the sibling is called `<path>.tmp-<process>-<number>`.
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

// The whole of a small file at once.
void write_text_file(const std::string& path, const std::string& text);

// Writes all of it, however many calls that takes. False with errno when that fails; some may be written.
bool write_fully(int descriptor, const void* bytes, size_t count);

// A file, or the names in a folder. Throws FileError. A file system that has no flushing of folders (EINVAL,
// ENOTSUP) keeps them in its own way; that is no error.
void flush_to_disk(const std::string& path);

// The folder and those above it, as far as they are missing; their names are flushed. Throws FileError.
void make_folders(const std::string& path);

}  // namespace limoe
