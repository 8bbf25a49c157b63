#include "models/cli/train_console.h"

#include <iostream>

#include "models/cli/table.h"
#include "models/cli/terminal.h"
#include "models/train/run_folder.h"

namespace limoe {
namespace {

constexpr double kKeepOnTerminal = 30;  // seconds between lines that stay
constexpr double kKeepPlain = 5;

std::string bar_of(double share) {
  constexpr int kCells = 20;
  const int full = int(share * kCells + 0.5);
  return "[" + std::string(size_t(full), '#') + std::string(size_t(kCells - full), '.') + "] ";
}

}  // namespace

TrainConsole::TrainConsole() : terminal_(is_terminal(Stream::output)) {}

void TrainConsole::erase_live_line() {
  progress_.reset();
  if (live_line_) std::cout << "\r\x1b[K";
  live_line_ = false;
}

void TrainConsole::keep(const std::string& line) {
  erase_live_line();
  std::cout << line << std::endl;
}

void TrainConsole::table(const ReportTable& table) {
  erase_live_line();
  Table aligned({Align::left, Align::left});
  aligned.heading({table.heading});
  for (const auto& [what, value] : table.rows) aligned.row({"  " + what, value});
  std::cout << aligned.text() << std::flush;
}

void TrainConsole::step(const StepReport& report) {
  const auto now = std::chrono::steady_clock::now();
  const double since = std::chrono::duration<double>(now - last_kept_).count();
  const std::string line = step_line(report);
  if (first_ || report.step == report.total_steps || since >= (terminal_ ? kKeepOnTerminal : kKeepPlain)) {
    if (first_) std::cout << '\n';
    first_ = false;
    last_kept_ = now;
    keep(line);
  }
  if (!terminal_ || report.step == report.total_steps) return;
  const double share = report.total_steps > 0 ? double(report.step) / double(report.total_steps) : 0;
  std::cout << "\r" << shortened(bar_of(share) + line, terminal_width(Stream::output) - 1) << "\x1b[K"
            << std::flush;
  live_line_ = true;
}

void TrainConsole::progress(const std::string& what, int64_t done, int64_t total) {
  if (done >= total) return progress_.reset();
  if (!progress_) {
    erase_live_line();
    progress_.emplace(what);
  }
  progress_->update(what, done, total);
}

void TrainConsole::warning(const std::string& text) {
  keep(bold("warning: ", Stream::output) + text);
}
void TrainConsole::note(const std::string& text) {
  keep(text);
}

}  // namespace limoe
