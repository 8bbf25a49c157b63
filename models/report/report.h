// `limoe report`: a run as one HTML file that needs nothing beside it, no network and no script to be read.
#pragma once

#include <string>
#include <vector>

#include "models/report/report_source.h"

namespace limoe {

std::string report_html(const ReportSource& source);

struct WrittenReport {
  std::string path;
  size_t bytes = 0;
  std::vector<std::string> notes;  // what is missing on the page
};

// Writes RUN/report.html, or the file that is given. Throws FileError, ValueError and UsageError when the run
// has no metrics or no config, or the file cannot be written; what else is missing is said on the page.
WrittenReport write_report(const std::string& run, const std::string& file = "",
                           const EmbedProgress& progress = {});

}  // namespace limoe
