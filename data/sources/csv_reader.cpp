#include "data/sources/csv_reader.h"

#include <algorithm>
#include <filesystem>
#include <string_view>

#include "tensor/error.h"

namespace limoe {
namespace {

constexpr std::size_t kMostReadBytes = std::size_t{1} << 20;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

CsvReader::CsvReader(const std::string& path, char separator)
    : path_(path), separator_(separator), file_(path, std::ios::binary) {
  if (!std::filesystem::is_regular_file(path) || !file_)
    throw FileError(path, ": cannot be opened; expected a table of pictures and captions");
  fill();
  if (ahead().starts_with(kByteOrderMark)) pass(kByteOrderMark.size());
}

// Afterwards ahead() holds more than the longest row, or all that is left.
void CsvReader::fill() {
  const auto enough = static_cast<std::size_t>(kMaxCsvRow) + 1;
  if (at_end_ || buffer_.size() - begin_ >= enough) return;
  buffer_.erase(0, begin_);
  begin_ = 0;
  while (!at_end_ && buffer_.size() < enough) {
    const std::size_t before = buffer_.size();
    buffer_.resize(before + chunk_);
    file_.read(buffer_.data() + before, static_cast<std::streamsize>(chunk_));
    if (file_.bad()) throw FileError(path_, ": cannot be read at byte ", offset_);
    buffer_.resize(before + static_cast<std::size_t>(file_.gcount()));
    at_end_ = file_.eof();
    chunk_ = std::min(4 * chunk_, kMostReadBytes);
  }
}

void CsvReader::pass(std::size_t count) {
  const auto begin = buffer_.begin() + static_cast<std::ptrdiff_t>(begin_);
  line_ += std::count(begin, begin + static_cast<std::ptrdiff_t>(count), '\n');
  begin_ += count;
  offset_ += static_cast<int64_t>(count);
}

void CsvReader::pass_line() {
  for (fill(); !ahead().empty(); fill()) {
    const std::size_t end = ahead().find('\n');
    pass(end == std::string_view::npos ? ahead().size() : end + 1);
    if (end != std::string_view::npos) return;
  }
}

bool CsvReader::next(PlacedCsvRow& placed) {
  for (fill(); !ahead().empty(); fill()) {
    placed.offset = offset_;
    placed.line = line_;
    const bool cut = ahead().size() > static_cast<std::size_t>(kMaxCsvRow);
    const std::string_view text = ahead().substr(0, static_cast<std::size_t>(kMaxCsvRow));
    placed.row = parse_csv_row(text, separator_);
    if (placed.row.problem.empty() && cut && placed.row.length == text.size() && text.back() != '\n')
      placed.row.problem = concatenate("the row is longer than ", kMaxCsvRow, " bytes");
    if (!placed.row.problem.empty()) {
      placed.row.length = 0;
      pass_line();
      return true;
    }
    pass(placed.row.length);
    if (placed.row.fields.size() > 1 || !placed.row.fields[0].empty()) return true;
  }
  return false;
}

}  // namespace limoe
