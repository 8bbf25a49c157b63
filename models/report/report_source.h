// Everything a report is made from: the run folder's files, the newest checkpoint, the data the config names.
// Only the metrics and the config must be there; of the rest, what is missing is said in `notes`.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "models/report/report_pairs.h"
#include "models/report/run_metrics.h"
#include "models/train/checkpoint.h"
#include "models/train/embed.h"
#include "models/train/step_report.h"

namespace limoe {

struct ReportSource {
  std::string run;  // its folder
  LimoeConfig model_config;
  TrainConfig train_config;
  std::string config_text;  // of config.toml
  RunMetrics metrics;
  std::map<std::string, ReportTable> tables;  // of out.log
  std::optional<LoadedModel> loaded;
  std::string no_model;               // why `loaded` is empty
  std::vector<ReportPairs> held_out;  // a set for each part of val-data
  ReportPairs training;
  std::vector<std::string> notes;  // what is missing or was left out
  EmbedProgress progress;

  bool is_dense() const { return moe_block_indices(model_config).empty(); }
  int64_t last_step() const { return int64_t(metrics.steps.back()); }
  int64_t planned_steps() const;  // as the config has it; 0: cannot be told
  double training_seconds() const;

  // The set that pictures are taken from: the first held-out one that can be read, or the training pairs.
  // Null: none.
  const ReportPairs* example_pairs() const;
};

// Throws FileError, ValueError and UsageError when metrics.jsonl or config.toml is not there or not one.
ReportSource read_report_source(const std::string& run, const EmbedProgress& progress);

}  // namespace limoe
