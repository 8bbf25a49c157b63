// One row of a CSV or TSV text, after RFC 4180: fields are parted by the separator, rows by LF or CRLF; a
// field that begins with a double quote goes on to the closing one, with separators and line ends inside it
// taken as they are and "" standing for one quote. A quote within a field that does not begin with one is
// itself.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace limoe {

struct CsvRow {
  std::vector<std::string> fields;  // an empty line has one, empty
  std::size_t length = 0;           // bytes up to and with the line end; 0 where there is a problem
  std::string problem;              // "field 2 is quoted, and ...", empty for a row that can be read
};

// The row that `text` begins with. The end of the text ends a row, but not a quoted field.
CsvRow parse_csv_row(std::string_view text, char separator);

}  // namespace limoe
