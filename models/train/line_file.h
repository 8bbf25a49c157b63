// A text file that grows by whole lines, such as metrics.jsonl. A line that cannot be written whole is taken
// back, so that what follows, once there is room again, does not continue half a line.
#pragma once

#include <string>

namespace limoe {

class LineFile {
 public:
  // Opens it for appending and ends a last line that a crash cut short. Throws FileError.
  explicit LineFile(const std::string& path);
  ~LineFile();
  LineFile(const LineFile&) = delete;
  LineFile& operator=(const LineFile&) = delete;

  void append(const std::string& line);  // `line` is without its end. Throws FileError, by path and reason
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  int descriptor_ = -1;
  bool torn_ = false;  // half a line could not be taken back; the next one begins behind its end
};

}  // namespace limoe
