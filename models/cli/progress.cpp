#include "models/cli/progress.h"

#include <algorithm>
#include <iostream>

#include "models/cli/table.h"
#include "models/cli/terminal.h"

namespace limoe {
namespace {

constexpr double kRedrawSeconds = 0.1;
constexpr double kPlainLineSeconds = 5;
constexpr double kFirstEstimateSeconds = 0.5;  // a rate from less is noise
constexpr int kLongestBar = 30;
constexpr int kShortestBar = 8;
constexpr int kRoomForFigures = 48;  // of a million items; a bar that changes its length would be restless

double seconds_between(std::chrono::steady_clock::time_point begin,
                       std::chrono::steady_clock::time_point end) {
  return std::chrono::duration<double>(end - begin).count();
}

std::string bar_of(double share, int width) {
  const int full = int(share * width + 0.5);
  return "[" + std::string(size_t(full), '#') + std::string(size_t(width - full), '.') + "]  ";
}

}  // namespace

std::string progress_line(const std::string& what, int64_t done, int64_t total, double per_second,
                          int width) {
  const double share = total > 0 ? std::clamp(double(done) / double(total), 0.0, 1.0) : 0;
  const std::string percent = with_decimals(100 * share, 0);
  std::string figures = std::string(3 - std::min<size_t>(3, percent.size()), ' ') + percent + " %  " +
                        grouped_digits(done) + "/" + grouped_digits(total);
  if (per_second > 0) {
    figures += "  " + with_decimals(per_second, per_second < 10 ? 1 : 0) + "/s";
    if (done < total) figures += "  " + readable_seconds(double(total - done) / per_second) + " left";
  }
  const int left = width - columns_of(what) - kRoomForFigures;
  const std::string bar = left < kShortestBar ? "" : bar_of(share, std::min(left, kLongestBar));
  return shortened(what + "  " + bar + figures, width);
}

Progress::Progress(std::string what) : what_(std::move(what)), terminal_(is_terminal(Stream::error)) {
  restart(what_);
}

Progress::~Progress() {
  if (terminal_ && drawn_) std::cerr << "\r\x1b[K" << std::flush;
}

void Progress::restart(const std::string& what) {
  what_ = what;
  begin_ = last_drawn_ = Clock::now();
  first_done_ = -1;
}

void Progress::update(int64_t done, int64_t total) {
  if (first_done_ < 0) first_done_ = done;
  const Clock::time_point now = Clock::now();
  if (seconds_between(last_drawn_, now) < (terminal_ ? kRedrawSeconds : kPlainLineSeconds)) return;
  last_drawn_ = now;
  draw(done, total, seconds_between(begin_, now));
}

void Progress::update(const std::string& what, int64_t done, int64_t total) {
  if (what != what_) restart(what);
  update(done, total);
}

void Progress::draw(int64_t done, int64_t total, double seconds) const {
  const double per_second = seconds < kFirstEstimateSeconds ? 0 : double(done - first_done_) / seconds;
  const int width = terminal_width(Stream::error) - 1;  // the last column would wrap
  const std::string line = progress_line(what_, done, total, per_second, width);
  if (terminal_)
    std::cerr << "\r" << line << "\x1b[K" << std::flush;
  else
    std::cerr << line << "\n";
  drawn_ = true;
}

}  // namespace limoe
