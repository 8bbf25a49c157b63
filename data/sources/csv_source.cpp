#include "data/sources/csv_source.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "data/sources/csv_reader.h"
#include "data/sources/picture_file.h"
#include "tensor/error.h"

namespace limoe {
namespace {

std::string quoted_list(const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 8, kLongest = 40;
  std::string list;
  for (std::size_t i = 0; i < std::min(names.size(), kMost); ++i)
    list += (i == 0 ? "\"" : ", \"") + names[i].substr(0, kLongest) + "\"";
  return list + (names.size() > kMost ? ", ..." : "");
}

std::string readable(char separator) {
  return separator == '\t' ? "a tab" : std::string("'") + separator + "'";
}

}  // namespace

char parse_csv_separator(const std::string& text) {
  if (text == "tab" || text == "\\t") return '\t';
  if (text.size() == 1 && text.find_first_of("\"\r\n") == std::string::npos) return text[0];
  throw ValueError("csv-separator: is \"", text, "\"; expected one character, or \"tab\"");
}

CsvSource::CsvSource(const std::string& path, const CsvColumns& columns, BadSampleLog& bad)
    : path_(path), columns_(columns), separator_(parse_csv_separator(columns.separator)) {
  CsvReader reader(path, separator_);
  PlacedCsvRow placed;
  if (!reader.next(placed) || !placed.row.problem.empty())
    throw FileError(path, ": line 1: ", placed.row.problem.empty() ? "the file is empty" : placed.row.problem,
                    "; expected the names of the columns");
  read_heading(placed.row.fields);
  while (reader.next(placed)) {
    const std::size_t found = placed.row.fields.size();
    std::string problem = placed.row.problem;
    if (problem.empty() && found != column_count_)
      problem = concatenate("the row has ", found, found == 1 ? " field; expected " : " fields; expected ",
                            column_count_, ", as line 1 has");
    if (problem.empty() && placed.row.fields[image_column_].empty())
      problem = "the field \"" + columns_.image + "\" is empty; expected the path of a picture";
    const auto line = static_cast<uint32_t>(placed.line);
    if (problem.empty())
      rows_.push_back({placed.offset, static_cast<int32_t>(placed.row.length), line});
    else
      bad.add({path_, concatenate("line ", line), placed.offset, problem});
  }
}

void CsvSource::read_heading(const std::vector<std::string>& names) {
  column_count_ = names.size();
  image_column_ = column(names, "csv-img-key", columns_.image);
  caption_column_ = column(names, "csv-caption-key", columns_.caption);
}

std::size_t CsvSource::column(const std::vector<std::string>& names, const char* key,
                              const std::string& wanted) const {
  const auto found = std::find(names.begin(), names.end(), wanted);
  if (found == names.end())
    throw FileError(path_, ": line 1: the columns are ", quoted_list(names), ", parted by ",
                    readable(separator_), "; expected one named \"", wanted, "\" (", key,
                    names.size() == 1 ? "; or another csv-separator)" : ")");
  return static_cast<std::size_t>(found - names.begin());
}

std::vector<std::string> CsvSource::fields_of(int64_t sample) const {
  const Row& row = rows_[static_cast<std::size_t>(sample)];
  std::ifstream file(path_, std::ios::binary);
  std::string text(static_cast<std::size_t>(row.length), '\0');
  if (!file.seekg(row.offset) || !file.read(text.data(), row.length))
    throw FileError(name_of(row), ": cannot be read again: ", row.length, " bytes at byte ", row.offset);
  std::vector<std::string> fields = parse_csv_row(text, separator_).fields;
  if (fields.size() != column_count_)
    throw FileError(name_of(row), ": has ", fields.size(), " fields now; expected ", column_count_,
                    " as when it was first read");
  return fields;
}

std::string CsvSource::name_of(const Row& row) const {
  return concatenate(path_, ": line ", row.line);
}

std::string CsvSource::key(int64_t sample) const {
  return concatenate("line ", rows_[static_cast<std::size_t>(sample)].line);
}

std::string CsvSource::image_name(int64_t sample) const {
  return name_of(rows_[static_cast<std::size_t>(sample)]) + ": " + fields_of(sample)[image_column_];
}

std::vector<uint8_t> CsvSource::read_image(int64_t sample) const {
  const std::filesystem::path path(fields_of(sample)[image_column_]);
  const std::filesystem::path whole = std::filesystem::path(path_).parent_path() / path;
  return read_picture_file(whole.string(), key(sample) + " of " + path_);
}

SampleText CsvSource::read_text(int64_t sample) const {
  return caption_only(fields_of(sample)[caption_column_], name_of(rows_[static_cast<std::size_t>(sample)]));
}

BadSample CsvSource::place_of(int64_t sample) const {
  return {path_, key(sample), rows_[static_cast<std::size_t>(sample)].offset, ""};
}

std::string CsvSource::expected() const {
  return "rows with a picture's path in \"" + columns_.image + "\" and its caption in \"" + columns_.caption +
         "\"";
}

}  // namespace limoe
