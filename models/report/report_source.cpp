#include "models/report/report_source.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "data/shard_list.h"
#include "models/limoe/info.h"
#include "models/report/run_log.h"
#include "models/train/config_file.h"
#include "models/train/fields.h"
#include "models/train/run_parts.h"
#include "tensor/error.h"

namespace limoe {
namespace {

// What looking at a model may cost: about a minute on two cores. Small models see whole sets for it.
constexpr double kFlopOfASet = 2e12;
constexpr int64_t kLeastPairs = 50, kMostPairs = 1000;

std::string file_name(const std::string& path) {
  const std::filesystem::path whole(path);
  return (whole.has_filename() ? whole : whole.parent_path()).filename().string();
}

void read_config(ReportSource& source) {
  const std::string file = source.run + "/config.toml";
  KeyedValues values = read_config_file(file);
  take_fields(source.model_config, values);
  take_fields(source.train_config, values);
  for (const auto& [key, value] : values)
    source.notes.push_back("config.toml has the key \"" + key +
                           "\", which this version does not know; it is left out.");
  validate(source.model_config);
  std::ifstream stream(file);
  source.config_text = {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

void read_model(ReportSource& source) {
  try {
    source.loaded = load_model(source.run);
    for (const std::string& warning : source.loaded->warnings) source.notes.push_back(warning);
    if (source.loaded->step < source.last_step())
      source.notes.push_back(concatenate("The newest checkpoint is of step ", source.loaded->step,
                                         "; pictures and experts are shown as they were then."));
  } catch (const std::exception& error) {
    source.no_model = error.what();
    source.notes.push_back("No model can be shown: " + source.no_model);
  }
}

void read_sets(ReportSource& source) {
  const TrainConfig& train = source.train_config;
  const DatasetOptions options = dataset_options(train);
  const double pair_flop = double(std::max<int64_t>(1, model_info(source.model_config).pair_flop()));
  const int64_t most = std::clamp(int64_t(kFlopOfASet / pair_flop), kLeastPairs, kMostPairs);
  const int side = int(source.model_config.image_size);
  if (!train.val_data.empty())
    for (const std::string& part : split_sources(train.val_data))
      source.held_out.push_back(read_report_pairs(part, file_name(part), options, most, side));
  source.training = read_report_pairs(train.train_data, "training pairs", options, most, side);
  for (const ReportPairs& pairs : source.held_out)
    if (!pairs.reason.empty())
      source.notes.push_back("The held-out set " + pairs.name + " cannot be shown: " + pairs.reason);
  if (!source.training.reason.empty())
    source.notes.push_back("The training pairs cannot be shown: " + source.training.reason);
}

}  // namespace

int64_t ReportSource::planned_steps() const {
  if (train_config.max_steps > 0) return train_config.max_steps;
  const double epoch = metrics.last("epoch");
  if (!(epoch > 0)) return 0;
  return train_config.epochs * std::llround(double(last_step()) / epoch);
}

double ReportSource::training_seconds() const {
  const std::vector<double>& step_seconds = metrics.of("train/batch_time");
  double seconds = 0, step = 0;
  for (size_t i = 0; i < metrics.steps.size(); ++i) {
    if (std::isfinite(step_seconds[i])) seconds += step_seconds[i] * (metrics.steps[i] - step);
    step = metrics.steps[i];
  }
  return seconds;
}

const ReportPairs* ReportSource::example_pairs() const {
  for (const ReportPairs& pairs : held_out)
    if (pairs.size() > 0) return &pairs;
  return training.size() > 0 ? &training : nullptr;
}

ReportSource read_report_source(const std::string& run, const EmbedProgress& progress) {
  ReportSource source;
  source.run = run;
  source.progress = progress;
  source.metrics = read_run_metrics(run + "/metrics.jsonl");
  source.tables = read_run_tables(run + "/out.log");
  source.notes = source.metrics.notes;
  read_config(source);
  if (source.last_step() < source.planned_steps())
    source.notes.push_back(concatenate("This run was stopped at step ", source.last_step(), " of ",
                                       source.planned_steps(), "."));
  read_model(source);
  if (source.loaded) read_sets(source);
  return source;
}

}  // namespace limoe
