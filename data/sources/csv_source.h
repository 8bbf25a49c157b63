// Image-text pairs from a table, as open_clip reads it: a first row that names the columns, one of them the
// path of a picture, one of them its caption.
//
//   filepath<TAB>title
//   cats/1.jpg<TAB>a cat asleep on a book
//
// A relative path begins at the table's own folder. Only places of rows are kept, 16 bytes each: a table may
// be larger than the memory. A row with more or fewer fields than the first one, or that cannot be read, is a
// bad sample. Rows: csv_row.h.
#pragma once

#include <string>
#include <vector>

#include "data/sources/sample_source.h"

namespace limoe {

struct CsvColumns {
  std::string image = "filepath";
  std::string caption = "title";
  std::string separator = "tab";  // or one character
};

class CsvSource final : public SampleSource {
 public:
  // FileError: no such file, no such column, too many bad rows. ValueError: a separator that is none.
  CsvSource(const std::string& path, const CsvColumns& columns, BadSampleLog& bad);

  int64_t size() const override { return static_cast<int64_t>(rows_.size()); }
  std::string key(int64_t sample) const override;
  std::string image_name(int64_t sample) const override;
  std::vector<uint8_t> read_image(int64_t sample) const override;
  SampleText read_text(int64_t sample) const override;
  BadSample place_of(int64_t sample) const override;

  int64_t file_count() const override { return 1; }
  const char* file_kind() const override { return "table"; }
  std::string expected() const override;

 private:
  struct Row {
    int64_t offset;
    int32_t length;
    uint32_t line;
  };

  void read_heading(const std::vector<std::string>& names);
  std::size_t column(const std::vector<std::string>& names, const char* key, const std::string& wanted) const;
  std::vector<std::string> fields_of(int64_t sample) const;
  std::string name_of(const Row& row) const;  // "PATH: line 3"

  const std::string path_;
  const CsvColumns columns_;
  const char separator_;
  std::size_t image_column_ = 0, caption_column_ = 0, column_count_ = 0;
  std::vector<Row> rows_;
};

// "tab", "\t" written out, or one character that is no quote and no line end. ValueError otherwise.
char parse_csv_separator(const std::string& text);

}  // namespace limoe
