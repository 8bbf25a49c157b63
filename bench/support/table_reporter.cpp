#include "bench/support/table_reporter.h"

#include <algorithm>
#include <cstdio>
#include <ostream>
#include <string>
#include <vector>

#include "models/train/readable.h"
#include "tensor/cpu_level.h"
#include "tensor/parallel.h"

namespace limoe::bench {
namespace {

using Run = benchmark::BenchmarkReporter::Run;

struct Spread {
  double least = 0, median = 0, most = 0;
};

Spread spread_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return {values.front(), values[values.size() / 2], values.back()};
}

std::string microseconds(double value) {
  return with_decimals(value, value < 10 ? 2 : value < 1000 ? 1 : 0);
}

// "op/pass/the rest" in its three parts.
std::vector<std::string> parts_of(const std::string& name) {
  const size_t first = name.find('/'), second = name.find('/', first + 1);
  return {name.substr(0, first), name.substr(first + 1, second - first - 1), name.substr(second + 1)};
}

double counter(const Run& run, const char* name) {
  const auto found = run.counters.find(name);
  return found == run.counters.end() ? 0 : double(found->second);
}

// The rate a case is bound by, with its unit.
std::string rate_of(const Run& run) {
  const double flop = counter(run, "flop_per_second"), bytes = counter(run, "bytes_per_second");
  char text[64] = "";
  if (flop > 0)
    std::snprintf(text, sizeof text, "%.1f GFLOP/s", flop / 1e9);
  else if (bytes > 0)
    std::snprintf(text, sizeof text, "%.1f GB/s", bytes / 1e9);
  return text;
}

}  // namespace

bool TableReporter::ReportContext(const Context&) {
  std::ostream& out = GetOutputStream();
  const int threads = thread_count();
  out << threads << (threads == 1 ? " thread" : " threads") << ", built for " << cpu_level_in_words()
      << ". This machine's fused multiply-adds: " << with_decimals(machine_.flop_rate() / 1e9, 0)
      << " GFLOP/s f32, " << with_decimals(machine_.flop_rate_of_one() / 1e9, 0) << " on one thread.\n"
      << "limit: share of the time that these, or a copy of as many bytes, would take at least\n";
  return true;
}

void TableReporter::ReportRuns(const std::vector<Run>& runs) {
  std::ostream& out = GetOutputStream();
  std::vector<double> times;
  const Run* median = nullptr;
  for (const Run& run : runs) {
    if (run.error_occurred) {
      if (&run == runs.data()) out << "WRONG     " << run.error_message << std::endl;
      continue;
    }
    if (run.run_type == Run::RT_Iteration) times.push_back(run.GetAdjustedRealTime());
  }
  if (times.empty()) return;
  const Spread spread = spread_of(times);
  for (const Run& run : runs)
    if (run.run_type == Run::RT_Iteration && run.GetAdjustedRealTime() == spread.median) median = &run;
  const std::vector<std::string> parts = parts_of(median->run_name.function_name);
  char line[256];
  if (parts[0] != last_op_) {
    std::snprintf(line, sizeof line, "\n%-16s %-16s %-34s %10s %7s %16s %6s\n", "op", "pass", "shape", "us",
                  "spread", "rate", "limit");
    out << line;
    last_op_ = parts[0];
  }
  std::snprintf(line, sizeof line, "%-16s %-16s %-34s %10s %6.0f%% %16s %5.0f%%\n", parts[0].c_str(),
                parts[1].c_str(), parts[2].c_str(), microseconds(spread.median).c_str(),
                100 * (spread.most - spread.least) / spread.median, rate_of(*median).c_str(),
                100 * counter(*median, "share_of_limit"));
  out << line << std::flush;
}

}  // namespace limoe::bench
