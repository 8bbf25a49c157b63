#include "data/sources/csv_row.h"

namespace limoe {
namespace {

// A quoted field whose opening quote is at `at`; leaves `at` behind the closing one. False: there is none.
bool take_quoted(std::string_view text, std::size_t& at, std::string& field) {
  for (++at; at < text.size(); ++at) {
    if (text[at] != '"') {
      field += text[at];
    } else if (at + 1 < text.size() && text[at + 1] == '"') {
      field += text[at++];
    } else {
      ++at;
      return true;
    }
  }
  return false;
}

// 1 or 2 where `text` has a line end at `at`, 0 where it has none.
std::size_t line_end_at(std::string_view text, std::size_t at) {
  if (text[at] == '\n') return 1;
  return text[at] == '\r' && at + 1 < text.size() && text[at + 1] == '\n' ? 2 : 0;
}

}  // namespace

CsvRow parse_csv_row(std::string_view text, char separator) {
  CsvRow row;
  row.fields.emplace_back();
  std::size_t at = 0;
  bool quoted = false;  // the field at hand is over, but for its separator
  while (at < text.size()) {
    if (const std::size_t end = line_end_at(text, at); end > 0) {
      row.length = at + end;
      return row;
    }
    std::string& field = row.fields.back();
    if (text[at] == separator) {
      row.fields.emplace_back();
      quoted = false;
      ++at;
    } else if (quoted) {
      row.problem = "field " + std::to_string(row.fields.size()) +
                    " goes on after its closing quote; expected the separator or the line's end";
      return row;
    } else if (text[at] == '"' && field.empty()) {
      quoted = take_quoted(text, at, field);
      if (quoted) continue;
      row.problem = "field " + std::to_string(row.fields.size()) + " begins with a quote that is not closed";
      return row;
    } else {
      field += text[at++];
    }
  }
  row.length = text.size();
  return row;
}

}  // namespace limoe
