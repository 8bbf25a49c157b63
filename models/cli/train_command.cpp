#include <atomic>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <memory>
#include <vector>

#include "cuda/install.h"
#include "cuda/op_range.h"
#include "data/shard_list.h"
#include "models/cli/command.h"
#include "models/cli/config_flags.h"
#include "models/cli/stopped_early.h"
#include "models/cli/table.h"
#include "models/cli/train_console.h"
#include "models/cli/vendor_keys.h"
#include "models/report/report.h"
#include "models/train/checkpoint.h"
#include "models/train/final_evaluation.h"
#include "models/train/run_lock.h"
#include "models/train/trainer.h"
#include "tensor/error.h"

namespace limoe {
namespace {

std::atomic<bool> stop_requested{false};

// The first SIGTERM, SIGINT or SIGUSR1 asks for a clean end after the current step; a second one ends the
// program at once.
void request_stop(int signal) {
  stop_requested = true;
  std::signal(signal, SIG_DFL);
}

struct TrainArguments {
  ConfigSources sources;
  std::string out;
  bool resume = false;
  bool overwrite = false;
};

// A run that --overwrite may replace is recognised by its metrics, or by its lock alone when it was replaced
// before and never began; anything else is left alone, and so is a run that is still going on.
void remove_earlier_run(const std::string& out) {
  namespace fs = std::filesystem;
  if (!fs::exists(out)) return;
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(out))
    if (entry.path().filename() != kRunLockFile) files.push_back(entry.path());
  if (files.empty()) return;
  if (!fs::exists(fs::path(out) / "metrics.jsonl"))
    throw UsageError("--overwrite: ", out,
                     " holds files but no run; expected a run folder, which has a metrics.jsonl");
  const RunLock lock(out);
  for (const fs::path& file : files) fs::remove_all(file);
}

// What was measured is measured again by the next run.
void keep_choices(const VendorKeys& vendor, TrainObserver& observer) {
  try {
    vendor.keep();
  } catch (const FileError& error) {
    observer.warning(concatenate("the choices of gemm auto were not kept: ", error.what()));
  }
}

// The run itself is done and kept: a page that cannot be made is worth a warning.
void leave_report(const std::string& run, TrainObserver& observer) {
  try {
    const WrittenReport written = write_report(
        run, "",
        [&](const std::string& what, int64_t done, int64_t total) { observer.progress(what, done, total); });
    observer.note("report: " + written.path);
  } catch (const std::exception& error) {
    observer.warning(concatenate("no report was written: ", error.what()));
  }
}

// Throws FileError for a source that names nothing: before an earlier run is removed and hours are spent on a
// model whose last step is to be evaluated.
void expect_data(const TrainConfig& config) {
  find_shards(config.train_data);
  if (!config.val_data.empty()) find_shards(config.val_data);
}

void run_training(const TrainArguments& arguments) {
  Configs configs = resolve_configs(arguments.sources);
  if (configs.train.train_data.empty())
    throw UsageError("--train-data: is empty; expected tar shards, as `limoe data` makes them");
  if (arguments.overwrite && arguments.resume)
    throw UsageError("--overwrite and --resume: expected one of the two");
  validate(configs.train);
  cuda::install(parse_device(configs.train.device).kind);
  const VendorKeys vendor(configs.train);
  if (configs.train.nvtx) cuda::name_ops(true);
  expect_data(configs.train);
  if (arguments.overwrite) remove_earlier_run(arguments.out);
  // Before the run folder is there, so that whoever sees it may already ask for a clean end. SIGUSR1 is what
  // batch systems are told to send ahead of a time limit.
  for (const int signal : {SIGTERM, SIGINT, SIGUSR1}) std::signal(signal, request_stop);
  RunFolder run(arguments.out, arguments.resume);
  TrainConsole console;
  TrainObservers both({&run, &console});
  const TrainRequest request{.model = configs.model,
                             .train = configs.train,
                             .resume = arguments.resume,
                             .stop = &stop_requested,
                             .machine = vendor.rows()};
  const TrainResult result = train(request, run, both);
  keep_choices(vendor, both);
  // Who sends a signal grants seconds, and figures and a report need the model over pictures and texts.
  if (result.stopped)
    throw StoppedEarly("stopped at step ", result.steps, "; saved ", result.checkpoint,
                       "; go on with --resume --out ", arguments.out,
                       "; no report is written before the end: limoe report ", arguments.out, " makes one");
  both.note("trained for " + readable_seconds(result.seconds) + "; saved " + result.checkpoint);
  final_evaluation(load_model(result.checkpoint), run, both);
  leave_report(arguments.out, both);
  both.note("run folder: " + arguments.out);
  for (const std::string& problem : run.take_problems()) both.warning(problem);
}

}  // namespace

Action declare_train(CLI::App& flags) {
  const auto arguments = std::make_shared<TrainArguments>();
  flags
      .add_option("--out", arguments->out,
                  "folder of the run: config, metrics, log, checkpoints, report.html")
      ->type_name("DIR")
      ->required();
  flags.add_flag("--resume", arguments->resume,
                 "go on from the newest valid checkpoint in --out, bit for bit");
  flags.add_flag("--overwrite", arguments->overwrite, "replace an earlier run in --out");
  add_config_flags(flags, arguments->sources);
  flags.footer(
      "  limoe train --config configs/emoji.toml --out runs/emoji\n"
      "  limoe train --config configs/emoji.toml --out runs/dense --dense --seed 1\n"
      "  limoe train --config runs/emoji/config.toml --out runs/emoji --resume");
  return [arguments] { run_training(*arguments); };
}

}  // namespace limoe
