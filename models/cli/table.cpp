#include "models/cli/table.h"

#include <algorithm>

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

}  // namespace limoe
