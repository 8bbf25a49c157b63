// Training as a person at a terminal sees it: a bar that is redrawn with every report and a line to keep
// every half minute; where standard output is no terminal, plain lines only, a few a minute.
#pragma once

#include <chrono>
#include <optional>

#include "models/cli/progress.h"
#include "models/train/step_report.h"

namespace limoe {

class TrainConsole final : public TrainObserver {
 public:
  TrainConsole();

  void table(const ReportTable& table) override;
  void step(const StepReport& report) override;
  void progress(const std::string& what, int64_t done, int64_t total) override;
  void warning(const std::string& text) override;
  void note(const std::string& text) override;

 private:
  void keep(const std::string& line);  // prints a line that stays
  void erase_live_line();

  const bool terminal_;
  bool live_line_ = false;
  bool first_ = true;
  std::chrono::steady_clock::time_point last_kept_;
  std::optional<Progress> progress_;
};

}  // namespace limoe
