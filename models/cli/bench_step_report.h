// A timed step as tables for people and as JSON.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "models/cli/bench_step.h"

namespace limoe {

// What the machine can do at most with these threads, as limoe_bench measures it.
struct MachinePeaks {
  double flop_per_second = 0;
  std::map<double, double> copy_rates;  // bytes a second, by how many bytes are moved: caches are faster

  double copy_rate(double bytes) const;  // of the nearest size
};
std::optional<MachinePeaks> measured_peaks(int threads);  // none where limoe_bench is not built

std::string step_text(const StepBenchResult& result, const std::optional<MachinePeaks>& peaks);
nlohmann::ordered_json step_json(const StepBenchResult& result, const std::optional<MachinePeaks>& peaks);

}  // namespace limoe
