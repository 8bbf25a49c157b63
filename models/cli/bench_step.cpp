#include "models/cli/bench_step.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>
#include <numeric>

#include "data/augment.h"
#include "models/cli/bench_trace.h"
#include "models/limoe/parameters.h"
#include "models/optim/adafactor.h"
#include "models/optim/adamw.h"
#include "models/optim/clip.h"
#include "models/train/fields.h"
#include "models/train/run_parts.h"
#include "models/train/trace.h"
#include "tensor/atomic_file.h"
#include "tensor/backend.h"
#include "tensor/caching_allocator.h"
#include "tensor/error.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"
#include "tensor/random.h"
#include "tensor/safetensors.h"

namespace limoe {
namespace {

// "VmHWM:   123 kB" of /proc/self/status in bytes; 0 on systems without it.
int64_t status_bytes(const std::string& key) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(key + ":")) return std::stoll(line.substr(key.size() + 1)) * 1024;
  return 0;
}

std::unique_ptr<Optimizer> step_optimizer(const TrainConfig& c, const ParameterArena& arena) {
  if (c.optimizer == "adafactor")
    return std::make_unique<Adafactor>(
        arena, AdafactorSettings{.beta1 = c.beta1, .beta2_cap = c.beta2, .weight_decay = c.wd * c.lr});
  return std::make_unique<AdamW>(
      arena, AdamWSettings{.beta1 = c.beta1, .beta2 = c.beta2, .epsilon = c.eps, .weight_decay = c.wd});
}

class StepBench {
 public:
  explicit StepBench(const StepBenchOptions& options)
      : options_(options),
        device_(parse_device(options.train.device)),
        arena_(parameter_specs(options.model), options.train.seed, DType::f32, device_),
        model_(options.model, arena_, activations_of(options.train), products_of(options.train)),
        optimizer_(step_optimizer(options.train, arena_)),
        batch_(step_batch(options.model, options.train.batch_size, options.train.seed,
                          options.train.patch_dropout)) {}

  const Batch& batch() const { return batch_; }

  double take(Trace* trace) {
    const Trace::Span whole(trace, "step", "step");
    const StepOptions step{.micro_batches = options_.train.accum_freq,
                           .loss_chunk = options_.train.loss_chunk,
                           .noise_seed = options_.train.seed,
                           .step = step_++};
    {
      const Trace::Span span(trace, "phase", "zero gradients");
      arena_.zero_gradients();
    }
    const StepLosses losses = accumulate_gradients(model_, batch_, step);
    {
      const Trace::Span span(trace, "phase", "clip");
      clip_gradient_norm(arena_, options_.train.grad_clip_norm);
    }
    const Trace::Span span(trace, "phase", "optimizer");
    optimizer_->step(arena_, {.lr = options_.train.lr, .schedule = 1});
    backend_of(device_).synchronize();
    return losses.total();
  }

  void save(const std::string& folder) const {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) throw FileError("bench step: --save: ", folder, " cannot be made: ", error.message());
    std::map<std::string, Tensor> parameters;
    for (const Parameter& parameter : arena_.parameters())
      parameters[parameter.spec.name] = parameter.var.value();
    write_safetensors(folder + "/model.safetensors", parameters);
    std::map<std::string, Tensor> batch{
        {"images", batch_.images}, {"ids", batch_.ids}, {"text_valid", batch_.text_valid}};
    if (batch_.patches.defined()) batch["patches"] = batch_.patches;
    write_safetensors(folder + "/batch.safetensors", batch);
    write_text_file(folder + "/config.toml",
                    to_toml(options_.model, "model") + "\n" + to_toml(options_.train, "training"));
  }

  Device device() const { return device_; }

  int64_t image_tokens() const {  // of a picture, in a step
    return batch_.patches.defined() ? batch_.patches.dim(1) : options_.model.image_tokens();
  }

  // q k^T and p v of every sequence, padding left out: 4 D length^2 each.
  double attention_flop() const {
    const LimoeConfig& c = options_.model;
    const int64_t pairs = batch_.size();
    double squares = double(pairs) * double(image_tokens()) * double(image_tokens());
    const std::vector<int32_t> valid = to_vector<int32_t>(batch_.text_valid);
    for (int64_t pair = 0; pair < pairs; ++pair) {
      const auto first = valid.begin() + pair * c.text_length;
      const double length = std::accumulate(first, first + c.text_length, 0.0);
      squares += length * length;
    }
    return 4 * double(c.width) * squares;
  }

 private:
  const StepBenchOptions& options_;
  Device device_;
  ParameterArena arena_;
  Limoe model_;
  std::unique_ptr<Optimizer> optimizer_;
  Batch batch_;
  int64_t step_ = 0;
};

void expect_options(const StepBenchOptions& options) {
  validate(options.model);
  TrainConfig train = options.train;
  if (train.train_data.empty()) train.train_data = "made here";  // nothing is read
  validate(train);
  if (options.warmup < 0)
    throw ValueError("bench step: --warmup is ", options.warmup, "; expected 0 or more");
  if (options.steps < 1) throw ValueError("bench step: --steps is ", options.steps, "; expected 1 or more");
}

}  // namespace

Batch step_batch(const LimoeConfig& model, int64_t pairs, uint64_t seed, double patch_dropout) {
  constexpr uint64_t kImages = 1, kIds = 2, kLengths = 3;  // streams
  const int64_t side = model.image_size, length = model.text_length, shortest = (length + 1) / 2;
  Batch batch;
  batch.images = random_uniform({pairs, side, side, 3}, -1, 1, seed, kImages);
  batch.ids = zeros({pairs, length}, DType::i32);
  batch.text_valid = zeros({pairs, length}, DType::i32);
  int32_t* const ids = batch.ids.mutable_data<int32_t>();
  int32_t* const valid = batch.text_valid.mutable_data<int32_t>();
  for (int64_t pair = 0; pair < pairs; ++pair) {
    const int64_t tokens =
        shortest + int64_t(random_below(uint64_t(length - shortest + 1), seed, kLengths, uint64_t(pair)));
    for (int64_t at = pair * length; at < pair * length + tokens; ++at) {
      valid[at] = 1;
      ids[at] = int32_t(random_below(uint64_t(model.vocabulary), seed, kIds, uint64_t(at)));
    }
  }
  if (patch_dropout > 0) {
    const int64_t kept = kept_patch_count(model.image_tokens(), patch_dropout);
    batch.patches = empty({pairs, kept}, DType::i32);
    int32_t* const patches = batch.patches.mutable_data<int32_t>();
    for (int64_t pair = 0; pair < pairs; ++pair)
      draw_patches(model.image_tokens(), {patches + pair * kept, size_t(kept)},
                   {seed, DataStream::kPatches, 0, pair});
  }
  batch.sample_index.resize(size_t(pairs));
  std::iota(batch.sample_index.begin(), batch.sample_index.end(), 0);
  batch.captions.resize(size_t(pairs));
  batch.labels.assign(size_t(pairs), -1);
  return batch;
}

double StepBenchResult::median_milliseconds() const {
  std::vector<double> sorted = milliseconds;
  std::sort(sorted.begin(), sorted.end());
  return sorted.empty() ? 0 : sorted[sorted.size() / 2];
}

double StepBenchResult::spread() const {
  if (milliseconds.empty()) return 0;
  const auto [least, most] = std::minmax_element(milliseconds.begin(), milliseconds.end());
  return (*most - *least) / median_milliseconds();
}

StepBenchResult bench_step(const StepBenchOptions& options) {
  using Clock = std::chrono::steady_clock;
  expect_options(options);
  if (options.train.threads > 0) set_thread_count(int(options.train.threads));
  StepBenchResult result;
  result.resident_before = status_bytes("VmRSS");
  StepBench bench(options);
  if (!options.save.empty()) bench.save(options.save);
  result.threads = thread_count();
  result.device = options.train.device;
  result.activations = name_of(activations_of(options.train));
  result.products = products_of(options.train);
  result.pairs = bench.batch().size();
  result.tokens = result.pairs * bench.image_tokens();
  for (const int32_t valid : to_vector<int32_t>(bench.batch().text_valid)) result.tokens += valid;
  for (int64_t step = -options.warmup; step < options.steps; ++step) {
    const Clock::time_point begin = Clock::now();
    result.losses.push_back(bench.take(nullptr));
    if (step >= 0)
      result.milliseconds.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
  }
  result.peak_tensor_bytes = int64_t(allocator_of(bench.device()).counts().peak_live_bytes);
  result.peak_resident = status_bytes("VmHWM");
  if (options.by_op > 0) {
    Trace trace(bench.device());
    for (int64_t step = 0; step < options.by_op; ++step) bench.take(&trace);
    result.ops = op_times(trace.json(), options.by_op, bench.attention_flop());
  }
  return result;
}

}  // namespace limoe
