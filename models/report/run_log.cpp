#include "models/report/run_log.h"

#include <fstream>

namespace limoe {

// A heading stands alone on its line; its rows follow, "  what: value".
std::map<std::string, ReportTable> read_run_tables(const std::string& file) {
  std::map<std::string, ReportTable> tables;
  std::ifstream stream(file);
  std::string heading;
  bool begun = false;
  for (std::string line; std::getline(stream, line);) {
    const size_t colon = line.find(": ");
    if (!line.starts_with("  ") || colon == std::string::npos) {
      heading = line;
      begun = false;
      continue;
    }
    if (!begun) tables[heading] = {heading, {}};
    begun = true;
    tables[heading].rows.emplace_back(line.substr(2, colon - 2), line.substr(colon + 2));
  }
  return tables;
}

}  // namespace limoe
