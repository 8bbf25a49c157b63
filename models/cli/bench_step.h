// How long a training step takes: forward, backward, clipping and the optimizer's update, on a batch that is
// made here and used again and again. No data is read and no run folder is written.
//
// Pictures are uniform in -1..1, token ids uniform, a text holds half of text-length to all of it in tokens,
// and with patch-dropout a step looks at as few patches as in training: see step_batch().
#pragma once

#include <string>
#include <vector>

#include "data/batch.h"
#include "models/limoe/config.h"
#include "models/train/accumulate.h"
#include "models/train/config.h"
#include "ops/matmul_precision.h"

namespace limoe {

struct StepBenchOptions {
  LimoeConfig model;
  TrainConfig train;   // batch size, accum-freq, optimizer, rates, clipping, seed, threads
  int64_t steps = 20;  // timed
  int64_t warmup = 3;  // before those: the first steps allocate and fill caches
  int64_t by_op = 0;   // steps that are traced after those, for a table by op
  std::string save =
      {};  // a folder for model.safetensors, batch.safetensors and config.toml as they are at first
};

// Where the time of a step goes: one kind of op in one direction, or a phase ("clip").
struct OpTime {
  std::string op, pass;     // "linear"; "forward", "backward" or "phase"
  double milliseconds = 0;  // a step
  double calls = 0;         // a step
  double flop = 0;          // a step, matrix products only
  double bytes = 0;         // a step: what it must at least read and write

  bool multiplies_weights() const { return op.ends_with("linear") || op.ends_with("mlp"); }
};

struct StepBenchResult {
  std::string device, activations;  // "cuda", "bf16"
  int threads = 0;
  MatmulPrecision products = MatmulPrecision::fp32;
  int64_t pairs = 0, tokens = 0;     // a step; tokens of texts without padding
  std::vector<double> milliseconds;  // of each timed step
  std::vector<double> losses;        // of each step from the first, warmup included; before the step's update
  int64_t peak_tensor_bytes = 0;     // live tensors
  int64_t resident_before = 0;       // bytes, of the process, before the model was made; 0 where unknown
  int64_t peak_resident = 0;         // the most it ever was
  std::vector<OpTime> ops;

  double median_milliseconds() const;
  double spread() const;  // (most - least) / median
};

// Throws ValueError and FileError for options that cannot be.
StepBenchResult bench_step(const StepBenchOptions& options);

Batch step_batch(const LimoeConfig& model, int64_t pairs, uint64_t seed, double patch_dropout = 0);

}  // namespace limoe
