// The figures a run ends with: retrieval on the held-out sets and on the training pairs, zero-shot
// classification where a held-out set has classes, and what the routers do with the training pairs at the
// capacity of training.
#pragma once

#include <string>

#include "models/train/checkpoint.h"
#include "models/train/run_folder.h"
#include "models/train/step_report.h"

namespace limoe {

// Reports a table to the observer and a line {"step": ..., "eval/<set>/<metric>": ...} to the run's
// metrics.jsonl. The held-out sets are those of val-data. Throws FileError.
void final_evaluation(const LoadedModel& loaded, RunFolder& run, TrainObserver& observer);

}  // namespace limoe
