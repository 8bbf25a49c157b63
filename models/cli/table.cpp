#include "models/cli/table.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "models/cli/terminal.h"
#include "tensor/error.h"

namespace limoe {
namespace {

constexpr int kGap = 2;

std::string padded(const std::string& cell, int width, Align align) {
  const std::string space(size_t(std::max(0, width - columns_of(cell))), ' ');
  return align == Align::left ? cell + space : space + cell;
}

}  // namespace

void Table::add(std::vector<std::string> cells, bool heading) {
  if (cells.size() > columns_.size())
    throw ValueError("table: a row has ", cells.size(), " cells; expected at most ", columns_.size());
  cells.resize(columns_.size());
  rows_.push_back({std::move(cells), heading});
}

void Table::row(std::vector<std::string> cells) {
  add(std::move(cells), false);
}

void Table::heading(std::vector<std::string> cells) {
  add(std::move(cells), true);
}

std::vector<int> Table::widths() const {
  std::vector<int> widths(columns_.size(), 0);
  for (const Row& row : rows_)
    for (size_t i = 0; i < columns_.size(); ++i) widths[i] = std::max(widths[i], columns_of(row.cells[i]));
  return widths;
}

std::string Table::text() const {
  const std::vector<int> width = widths();
  std::string text;
  for (const Row& row : rows_) {
    std::string line;
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (i > 0) line += std::string(kGap, ' ');
      line += padded(row.cells[i], width[i], columns_[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    if (row.heading) line = (text.empty() ? "" : "\n") + bold(line, Stream::output);
    text += line + "\n";
  }
  return text;
}

std::string grouped_digits(int64_t number) {
  std::string digits = std::to_string(number);
  const int64_t first = number < 0 ? 1 : 0;
  for (int64_t at = int64_t(digits.size()) - 3; at > first; at -= 3) digits.insert(size_t(at), ",");
  return digits;
}

std::string with_decimals(double number, int decimals) {
  std::array<char, 400> text{};  // DBL_MAX has 309 digits
  std::snprintf(text.data(), text.size(), "%.*f", decimals, number);
  return text.data();
}

std::string readable_bytes(double bytes) {
  constexpr std::array<const char*, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < kUnits.size(); ++unit) bytes /= 1024;
  const int decimals = unit == 0 || bytes >= 100 ? 0 : bytes >= 10 ? 1 : 2;
  return with_decimals(bytes, decimals) + " " + kUnits[unit];
}

std::string readable_seconds(double seconds) {
  if (seconds < 60) return with_decimals(seconds, seconds < 10 ? 1 : 0) + " s";
  const int64_t whole = std::llround(seconds);
  std::array<char, 32> text{};
  if (whole < 3600)
    std::snprintf(text.data(), text.size(), "%d:%02d min", int(whole / 60), int(whole % 60));
  else
    std::snprintf(text.data(), text.size(), "%lld:%02d:%02d h", static_cast<long long>(whole / 3600),
                  int(whole / 60 % 60), int(whole % 60));
  return text.data();
}

}  // namespace limoe
