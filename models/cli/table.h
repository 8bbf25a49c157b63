// Text in aligned columns.
//
//   Table table({Align::left, Align::right});
//   table.heading("Parameters", {"all"});
//   table.row({"experts", "4,879 M"});
#pragma once

#include <string>
#include <vector>

#include "models/train/readable.h"

namespace limoe {

enum class Align { left, right };

class Table {
 public:
  explicit Table(std::vector<Align> columns) : columns_(std::move(columns)) {}

  void row(std::vector<std::string> cells);      // missing cells are empty; throws ValueError for too many
  void heading(std::vector<std::string> cells);  // a row after an empty line, in bold on a terminal
  std::string text() const;                      // every line ends with a newline

 private:
  struct Row {
    std::vector<std::string> cells;
    bool heading = false;
  };

  void add(std::vector<std::string> cells, bool heading);
  std::vector<int> widths() const;

  std::vector<Align> columns_;
  std::vector<Row> rows_;
};

}  // namespace limoe
