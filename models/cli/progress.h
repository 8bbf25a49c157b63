// How far a long job is: one line that is redrawn on a terminal, and a plain line every few seconds where
// standard error is no terminal.
//
//   reading pictures  [##########..............]  41 %  1,490/3,655  812/s  3 s left
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace limoe {

class Progress {
 public:
  explicit Progress(std::string what);
  ~Progress();  // takes the line away
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(int64_t done, int64_t total);  // from the thread that made it
  void update(const std::string& what, int64_t done, int64_t total);

 private:
  using Clock = std::chrono::steady_clock;

  void restart(const std::string& what);
  void draw(int64_t done, int64_t total, double seconds) const;

  std::string what_;
  const bool terminal_;
  Clock::time_point begin_, last_drawn_;
  int64_t first_done_ = -1;
  mutable bool drawn_ = false;
};

// The line without its end, at most `width` columns.
std::string progress_line(const std::string& what, int64_t done, int64_t total, double per_second, int width);

}  // namespace limoe
