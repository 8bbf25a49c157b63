// A run's metrics.jsonl (its keys: models/train/run_folder.h), column by column.
//
// A line with "train/" keys is a logged step, one with "eval/" keys an evaluation. Of two lines of one step
// the later one counts: a run that was resumed does steps again. Lines that cannot be read, as a crash leaves
// them, are left out and told in `notes`.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace limoe {

struct RunMetrics {
  std::vector<double> steps;                          // ascending
  std::map<std::string, std::vector<double>> values;  // [steps]; NaN where a step has no such number
  std::map<std::string, std::vector<std::vector<double>>> lists;  // [steps][..]; empty where there is none
  std::vector<std::pair<std::string, double>> evaluation;         // of the last one, in its order
  std::vector<std::string> notes;

  const std::vector<double>& of(const std::string& key) const;  // all NaN for an unknown key
  double last(const std::string& key) const;                    // NaN where there is none

 private:
  friend RunMetrics read_run_metrics(const std::string& file);
  std::vector<double> nothing_;
};

// Throws FileError when there is no file or no logged step in it.
RunMetrics read_run_metrics(const std::string& file);

}  // namespace limoe
