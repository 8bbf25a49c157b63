// Training, from shards to a checkpoint.
#pragma once

#include <atomic>
#include <string>
#include <utility>
#include <vector>

#include "models/limoe/config.h"
#include "models/train/config.h"
#include "models/train/run_folder.h"
#include "models/train/step_report.h"

namespace limoe {

struct TrainRequest {
  LimoeConfig model;
  TrainConfig train;
  bool resume = false;                      // go on from the newest valid checkpoint of the run folder, or
                                            // from the start when there is none at all
  const std::atomic<bool>* stop = nullptr;  // set from outside: finish the step, save, return
  std::vector<std::pair<std::string, std::string>> machine =
      {};  // rows of the startup table of the machine, said by the caller
};

struct TrainResult {
  int64_t steps = 0;        // done in all
  bool stopped = false;     // by `stop`, before the end
  double seconds = 0;       // of training, evaluation left out
  std::string checkpoint;   // the last one written
  std::string bad_samples;  // file they are named in; empty when there was none
};

// A checkpoint that cannot be saved while training is warned of, and training goes on; older ones stand.
//
// Throws ValueError and FileError for what the request asks wrongly, before any training; FileError when too
// many samples are bad, and when the last checkpoint cannot be saved (the metrics are written by then); Error
// when a loss is not finite, saying where that began, with the last checkpoint untouched.
TrainResult train(const TrainRequest& request, RunFolder& run, TrainObserver& observer);

}  // namespace limoe
