// What a training run is put together from, made in the order a reader would: data, tokenizer, model,
// optimizer, schedule, loader.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/loader.h"
#include "models/limoe/limoe.h"
#include "models/optim/optimizer.h"
#include "models/optim/schedule.h"
#include "models/train/step_report.h"
#include "models/train/trainer.h"

namespace limoe {

struct RunParts {
  // When resuming, parameters and tokenizer come from the run's newest valid checkpoint. Throws ValueError
  // and FileError for what does not fit together.
  RunParts(const TrainRequest& request, const std::string& run, TrainObserver& observer);

  // Model, data, memory by purpose, machine.
  std::vector<ReportTable> startup_tables() const;

  const TrainConfig& config;
  LimoeConfig model_config;  // as asked for, with the tokenizer's vocabulary
  std::shared_ptr<const Dataset> dataset;
  std::shared_ptr<const Tokenizer> tokenizer;
  std::unique_ptr<ParameterArena> arena;
  std::unique_ptr<Limoe> model;
  std::unique_ptr<Optimizer> optimizer;
  std::unique_ptr<Loader> loader;
  Schedule schedule;
  int64_t total_steps = 0;
  std::string resumed_from;                                  // the checkpoint, or empty
  Device device;                                             // of the arena and the model
  std::vector<std::pair<std::string, std::string>> machine;  // rows the caller of the trainer adds
};

DType activations_of(const TrainConfig& train);  // by its device and precision
MatmulPrecision products_of(const TrainConfig& train);

DatasetOptions dataset_options(const TrainConfig& train);
LoaderOptions training_loader_options(const TrainConfig& train, const LimoeConfig& model);

}  // namespace limoe
