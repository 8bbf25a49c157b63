#include "models/train/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <thread>

#include "data/slow_stage.h"
#include "models/limoe/parameters.h"
#include "models/optim/clip.h"
#include "models/optim/guard.h"
#include "models/train/checkpoint.h"
#include "models/train/diagnose.h"
#include "models/train/fields.h"
#include "models/train/router_guard.h"
#include "models/train/run_parts.h"
#include "models/train/trace.h"
#include "tensor/atomic_file.h"
#include "tensor/caching_allocator.h"
#include "tensor/error.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"

namespace limoe {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

const std::string kGuardPrefix = "guard.";  // of the guard's tensors among the optimizer's

// exp(log_scale) is held at or below `max_scale`, as CLIP does: a larger one only sharpens what is right
// already.
void clamp_scale(ParameterArena& arena, double max_scale) {
  Tensor log_scale = arena["log_scale"].value();
  if (item(log_scale) > std::log(max_scale))
    copy_into(log_scale, full({}, std::log(max_scale), log_scale.dtype(), log_scale.device()));
}

// Times and samples since the last report.
struct Interval {
  Clock::time_point begin = Clock::now();
  int64_t steps = 0;
  double data_seconds = 0;
  double contrastive = 0, auxiliary = 0;
};

class Training {
 public:
  Training(const TrainRequest& request, RunFolder& run, TrainObserver& observer)
      : request_(request),
        config_(request.train),
        run_(run),
        observer_(observer),
        parts_(request, run.path(), observer) {}

  TrainResult run() {
    if (request_.resume) resume();
    first_step_ = step_;
    run_.write_config(to_toml(parts_.model_config, "model") + "\n" + to_toml(config_, "training"));
    for (const ReportTable& table : parts_.startup_tables()) observer_.table(table);
    const Clock::time_point begin = Clock::now();
    while (step_ < parts_.total_steps && !(request_.stop && request_.stop->load())) {
      trace_as_asked();
      take_step();
      if (step_ % config_.log_every_n_steps == 0 || step_ == parts_.total_steps) report();
      // The last step is saved below, where a failure counts.
      if (config_.save_every_steps > 0 && step_ % config_.save_every_steps == 0 && step_ < parts_.total_steps)
        save_or_warn();
      tell_problems();
    }
    result_.seconds = seconds_since(begin);
    result_.steps = step_;
    result_.stopped = step_ < parts_.total_steps;
    end_trace();
    write_bad_samples();
    if (saved_step_ != step_) save_or_fail();
    tell_problems();
    return result_;
  }

 private:
  void take_step() {
    const Trace::Span whole(trace_.get(), "step", concatenate("step ", step_ + 1));
    const Batch batch = next_batch();
    interval_.data_seconds += parts_.loader->wait_seconds();
    const StepOptions options{.micro_batches = config_.accum_freq,
                              .loss_chunk = config_.loss_chunk,
                              .noise_seed = config_.seed,
                              .step = step_};
    const bool reports = (step_ + 1) % config_.log_every_n_steps == 0 || step_ + 1 == parts_.total_steps;
    ParameterArena& arena = *parts_.arena;
    arena.zero_gradients();
    try {
      const Trace::Span span(trace_.get(), "phase", "forward and backward");
      losses_ = accumulate_gradients(*parts_.model, batch, options, [&](const LimoeOutputs& outputs) {
        if (reports) tally_.add(outputs);
      });
    } catch (const NonFiniteError& error) {
      stop_on_non_finite(error.what(), batch, options);
    }
    {
      const Trace::Span span(trace_.get(), "phase", "clip");
      grad_norm_ = clip_gradient_norm(arena, config_.grad_clip_norm);
    }
    const GuardReport guard = guard_.look(losses_.total(), grad_norm_);
    if (!guard.is_finite) stop_on_non_finite(guard.words, batch, options);
    if (guard.is_spike) observer_.warning(concatenate("step ", step_ + 1, ": ", guard.words));
    const double schedule = schedule_factor(parts_.schedule, step_);
    lr_ = config_.lr * schedule;
    if (!(guard.is_spike && config_.spike_action == "skip")) {
      const Trace::Span span(trace_.get(), "phase", "optimizer");
      parts_.optimizer->step(arena, {.lr = lr_, .schedule = schedule});
      clamp_scale(arena, config_.max_scale);
    }
    ++step_;
    ++interval_.steps;
    interval_.contrastive += losses_.contrastive;
    interval_.auxiliary += losses_.auxiliary;
  }

  Batch next_batch() {
    const Trace::Span span(trace_.get(), "phase", "load batch");
    return parts_.loader->next();
  }

  // The first steps allocate and warm caches: they are not what a step is like.
  void trace_as_asked() {
    constexpr int64_t kFirstSteps = 2;
    if (config_.trace.empty()) return;
    const int64_t done = step_ - first_step_;
    if (done == kFirstSteps) trace_ = std::make_unique<Trace>(parts_.device);
    if (done == kFirstSteps + config_.trace_steps) end_trace();
  }

  void end_trace() {
    if (trace_ == nullptr) return;
    try {
      write_text_file(config_.trace, trace_->json());
      observer_.note("trace: " + config_.trace + " (open it in ui.perfetto.dev)");
    } catch (const FileError& error) {
      observer_.warning(concatenate("no trace was written: ", error.what()));
    }
    trace_.reset();
  }

  [[noreturn]] void stop_on_non_finite(const std::string& seen, const Batch& batch,
                                       const StepOptions& options) {
    throw NonFiniteError("train: step ", step_ + 1, ": ", seen, "; ",
                         diagnose_non_finite(*parts_.model, *parts_.arena, batch, options),
                         "; lower --lr or --grad-clip-norm, or resume from the last checkpoint");
  }

  void report() {
    const double seconds = seconds_since(interval_.begin);
    StepReport report{
        .step = step_, .total_steps = parts_.total_steps, .losses = losses_, .routers = tally_.statistics()};
    report.losses.contrastive = interval_.contrastive / double(interval_.steps);
    report.losses.auxiliary = interval_.auxiliary / double(interval_.steps);
    report.samples_seen = step_ * config_.batch_size;
    report.epoch = double(step_) / double(parts_.loader->steps_per_epoch());
    report.log_batch = std::log(double(config_.batch_size));
    report.lr = lr_;
    report.logit_scale = std::exp(item(parts_.model->log_scale().value()));
    report.grad_norm = grad_norm_;
    report.batch_time = seconds / double(interval_.steps);
    report.data_time = interval_.data_seconds / double(interval_.steps);
    report.samples_per_second = double(config_.batch_size) / report.batch_time;
    report.seconds_left = report.batch_time * double(parts_.total_steps - step_);
    report.peak_bytes = allocator_of(parts_.device).counts().peak_live_bytes;
    observer_.step(report);
    for (const std::string& finding : router_guard_.look(report)) observer_.warning(finding);
    if (const auto advice = slow_stage_.look({.seconds = seconds,
                                              .wait_seconds = interval_.data_seconds,
                                              .times = parts_.loader->times(),
                                              .workers = int(config_.workers),
                                              .processors = int(std::thread::hardware_concurrency())}))
      observer_.warning(*advice);
    tally_.clear();
    interval_ = {};
  }

  void save() {
    std::map<std::string, Tensor> state = parts_.optimizer->state();
    for (const auto& [name, tensor] : guard_.state()) state[kGuardPrefix + name] = tensor;
    const TrainerState trainer{
        .step = step_, .samples_seen = step_ * config_.batch_size, .loader = parts_.loader->position()};
    const SavedCheckpoint saved =
        save_checkpoint(run_.path(),
                        {.model = parts_.model_config,
                         .train = config_,
                         .arena = *parts_.arena,
                         .optimizer_state = state,
                         .trainer = trainer,
                         .tokenizer = *parts_.tokenizer},
                        {.newest = config_.keep_checkpoints, .every_steps = config_.keep_every_steps});
    for (const std::string& warning : saved.warnings) observer_.warning(warning);
    result_.checkpoint = saved.path;
    saved_step_ = step_;
  }

  std::string last_saved() const {
    return result_.checkpoint.empty() ? "there is no checkpoint yet" : result_.checkpoint + " stands";
  }

  // The weights are safe in memory, and the disk may have room again by the next save.
  void save_or_warn() {
    try {
      save();
    } catch (const FileError& error) {
      observer_.warning(concatenate("step ", step_, ": no checkpoint was saved: ", error.what(), "; ",
                                    last_saved(),
                                    ", and training goes on; free space on the disk, or lower "
                                    "--keep-checkpoints, before the next save"));
    }
  }

  void save_or_fail() {
    try {
      save();
    } catch (const FileError& error) {
      tell_problems();
      throw FileError("train: step ", step_, ": the last checkpoint was not saved: ", error.what(), "; ",
                      last_saved(), "; free space on the disk, then go on with --resume");
    }
  }

  void tell_problems() {
    for (const std::string& problem : run_.take_problems()) observer_.warning(problem);
  }

  void resume() {
    if (parts_.resumed_from.empty()) {
      run_.drop_metrics_after(0);
      observer_.note(concatenate(run_.path(), ": has no checkpoint yet; its run begins again at step 0"));
      return;
    }
    const LoadedTrainer loaded = load_trainer(parts_.resumed_from);
    std::map<std::string, Tensor> optimizer, guard;
    for (const auto& [name, tensor] : loaded.optimizer_state)
      if (name.starts_with(kGuardPrefix))
        guard[name.substr(kGuardPrefix.size())] = tensor;
      else
        optimizer[name] = tensor;
    parts_.optimizer->load_state(optimizer);
    guard_.load_state(guard);
    parts_.loader->restore(loaded.state.loader);
    step_ = saved_step_ = loaded.state.step;
    result_.checkpoint = parts_.resumed_from;
    run_.drop_metrics_after(step_);
    observer_.note(concatenate("resumed from ", parts_.resumed_from, ", step ", step_));
  }

  void write_bad_samples() {
    const std::vector<BadSample> bad = parts_.dataset->bad_samples();
    if (bad.empty()) return;
    result_.bad_samples = run_.path() + "/bad_samples.jsonl";
    std::string lines;
    for (const BadSample& sample : bad) lines += to_json(sample) + '\n';
    try {
      write_text_file(result_.bad_samples, lines);
    } catch (const FileError& error) {
      observer_.warning(concatenate(bad.size(), " bad samples were skipped; ", error.what()));
      return;
    }
    observer_.warning(
        concatenate(bad.size(), " bad samples were skipped; they are named in ", result_.bad_samples));
  }

  const TrainRequest& request_;
  const TrainConfig& config_;
  RunFolder& run_;
  TrainObserver& observer_;
  RunParts parts_;
  LossGuard guard_;
  RouterGuard router_guard_;
  SlowStageWatch slow_stage_;
  RouterTally tally_;
  Interval interval_;
  StepLosses losses_;
  double grad_norm_ = 0, lr_ = 0;
  int64_t step_ = 0, first_step_ = 0, saved_step_ = -1;
  std::unique_ptr<Trace> trace_;  // while steps are traced
  TrainResult result_;
};

}  // namespace

TrainResult train(const TrainRequest& request, RunFolder& run, TrainObserver& observer) {
  validate(request.train);
  return Training(request, run, observer).run();
}

}  // namespace limoe
