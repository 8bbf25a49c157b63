// The tables that a run wrote into its out.log before it began: Data, Machine, ... (RunFolder::table).
#pragma once

#include <map>
#include <string>

#include "models/train/step_report.h"

namespace limoe {

// By heading; of a run that was resumed, the last ones. Empty where there is no log.
std::map<std::string, ReportTable> read_run_tables(const std::string& file);

}  // namespace limoe
