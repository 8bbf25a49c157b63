// The rows of a CSV or TSV file from its first to its last, in bounded memory, for an index of them. A byte
// order mark is skipped. A row that cannot be read is given with its problem, and reading goes on at the next
// line: one stray quote does not swallow the rest of the file.
#pragma once

#include <cstdint>
#include <fstream>
#include <string>

#include "data/sources/csv_row.h"

namespace limoe {

// Longer rows are a problem, and a quoted field without an end is given up after this.
constexpr int64_t kMaxCsvRow = int64_t{1} << 20;

struct PlacedCsvRow {
  CsvRow row;
  int64_t offset = 0;  // of its first byte
  int64_t line = 0;    // of its first line, from 1
};

class CsvReader {
 public:
  CsvReader(const std::string& path, char separator);  // FileError where the file cannot be read

  // False behind the last row. Lines without a character are passed over.
  bool next(PlacedCsvRow& placed);

 private:
  void fill();
  std::string_view ahead() const { return std::string_view(buffer_).substr(begin_); }
  void pass(std::size_t count);  // bytes of ahead(), counting their lines
  void pass_line();              // to behind the next line end

  const std::string path_;
  const char separator_;
  std::ifstream file_;
  std::string buffer_;
  std::size_t begin_ = 0;                     // of what is not passed yet
  std::size_t chunk_ = std::size_t{1} << 14;  // bytes of the next read: a small table takes little memory
  bool at_end_ = false;                       // the buffer holds all that is left
  int64_t offset_ = 0;                        // of ahead() in the file
  int64_t line_ = 1;
};

}  // namespace limoe
