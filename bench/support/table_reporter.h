// google-benchmark's results as a table for people: one line a case, the median of its repetitions.
#pragma once

#include <benchmark/benchmark.h>

#include "bench/support/machine.h"

namespace limoe::bench {

// Runs must have been named "op/pass/shape" and hold the counters flop_per_second, bytes_per_second and
// share_of_limit, where they have them.
class TableReporter final : public benchmark::BenchmarkReporter {
 public:
  explicit TableReporter(const Machine& machine) : machine_(machine) {}

  bool ReportContext(const Context& context) override;
  void ReportRuns(const std::vector<Run>& runs) override;

 private:
  const Machine& machine_;
  std::string last_op_;
};

}  // namespace limoe::bench
