#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "cuda/install.h"
#include "cuda/op_range.h"
#include "models/cli/bench_data.h"
#include "models/cli/bench_data_report.h"
#include "models/cli/bench_program.h"
#include "models/cli/bench_step.h"
#include "models/cli/bench_step_report.h"
#include "models/cli/command.h"
#include "models/cli/config_flags.h"
#include "models/cli/progress.h"
#include "models/cli/vendor_keys.h"
#include "tensor/error.h"

namespace limoe {
namespace {

struct BenchArguments {
  std::vector<std::string> what;
  std::string json;
  int threads = 0;
  bool all_versions = false, list = false;
  DataBenchOptions data;
  bool no_augment = false;
  std::string config, preset, save, device, precision, gemm, gemm_choices, attention, norm;
  int64_t steps = 20, warmup = 3, batch_size = 0;
  bool by_op = false, nvtx = false;
  std::vector<std::pair<std::string, std::string>>
      owned_flags;  // flag -> "data" or "step" or "ops", once given
};

void write_json(const std::string& path, const nlohmann::ordered_json& json) {
  std::ofstream file(path);
  if (!(file << json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << '\n' << std::flush))
    throw FileError(path, ": cannot be written");
}

void run_data(BenchArguments& arguments) {
  arguments.data.augment = !arguments.no_augment;
  arguments.data.threads = arguments.threads;
  const DataBenchResult result = bench_data(arguments.data);
  std::cout << data_bench_text(result);
  if (!arguments.json.empty()) write_json(arguments.json, data_bench_json(arguments.data, result));
}

void run_step(const BenchArguments& arguments) {
  constexpr int64_t kTracedSteps = 5;
  ConfigSources sources{.preset = arguments.preset, .file = arguments.config, .flags = {}};
  if (arguments.batch_size > 0)
    sources.flags["batch-size"] = {std::to_string(arguments.batch_size), "--batch-size"};
  if (!arguments.device.empty()) sources.flags["device"] = {arguments.device, "--device"};
  if (!arguments.precision.empty()) sources.flags["precision"] = {arguments.precision, "--precision"};
  if (arguments.nvtx) sources.flags["nvtx"] = {"true", "--nvtx"};
  if (!arguments.gemm.empty()) sources.flags["gemm"] = {arguments.gemm, "--gemm"};
  if (!arguments.attention.empty()) sources.flags["attention"] = {arguments.attention, "--attention"};
  if (!arguments.norm.empty()) sources.flags["norm"] = {arguments.norm, "--norm"};
  if (!arguments.gemm_choices.empty())
    sources.flags["gemm-choices"] = {arguments.gemm_choices, "--gemm-choices"};
  if (arguments.threads > 0) sources.flags["threads"] = {std::to_string(arguments.threads), "--threads"};
  const Configs configs = resolve_configs(sources);
  cuda::install(parse_device(configs.train.device).kind);
  const VendorKeys vendor(configs.train);
  if (configs.train.nvtx) cuda::name_ops(true);
  const StepBenchResult result = bench_step({.model = configs.model,
                                             .train = configs.train,
                                             .steps = arguments.steps,
                                             .warmup = arguments.warmup,
                                             .by_op = arguments.by_op ? kTracedSteps : 0,
                                             .save = arguments.save});
  vendor.keep();
  const bool limited = arguments.by_op && result.device == "cpu";
  const auto peaks = limited ? measured_peaks(result.threads) : std::nullopt;
  std::cout << step_text(result, peaks);
  if (!arguments.json.empty()) write_json(arguments.json, step_json(result, peaks));
}

void run_ops(const BenchArguments& arguments) {
  std::vector<std::string> words = arguments.what;
  if (arguments.all_versions) words.push_back("--all-versions");
  if (arguments.list) words.push_back("--list");
  if (arguments.threads > 0) words.push_back(concatenate("--threads=", arguments.threads));
  if (!arguments.json.empty()) {
    words.push_back("--benchmark_out=" + arguments.json);
    words.push_back("--benchmark_out_format=json");
  }
  become_bench_program(words);
}

std::string in_words(const std::string& mode) {
  return mode == "ops" ? "the benches of ops" : "`limoe bench " + mode + "`";
}

void run_bench(BenchArguments& arguments) {
  const bool alone = arguments.what.size() == 1;
  const std::string mode =
      alone && (arguments.what[0] == "data" || arguments.what[0] == "step") ? arguments.what[0] : "ops";
  for (const auto& [flag, owner] : arguments.owned_flags)
    if (owner != mode)
      throw UsageError("bench: ", flag, " is given with ", in_words(mode), "; expected with ",
                       in_words(owner), " alone");
  if (mode == "data") return run_data(arguments);
  if (mode == "step") return run_step(arguments);
  run_ops(arguments);
}

// Notes who a flag belongs to when it is given, so that it is not silently ignored by another.
class OwnedFlags {
 public:
  OwnedFlags(CLI::App& flags, BenchArguments& arguments, std::string owner, std::string group)
      : flags_(flags), arguments_(arguments), owner_(std::move(owner)), group_(std::move(group)) {}

  template <class T>
  void option(const std::string& name, T& value, const std::string& help, const std::string& type) {
    flags_
        .add_option_function<T>(
            name,
            [this_owner = owner_, &value, name, &given = arguments_.owned_flags](const T& v) {
              value = v;
              given.emplace_back(name, this_owner);
            },
            help)
        ->type_name(type)
        ->group(group_);
  }
  void flag(const std::string& name, bool& value, const std::string& help) {
    flags_
        .add_flag_function(
            name,
            [owner = owner_, &value, name, &given = arguments_.owned_flags](int64_t) {
              value = true;
              given.emplace_back(name, owner);
            },
            help)
        ->group(group_);
  }

 private:
  CLI::App& flags_;
  BenchArguments& arguments_;
  std::string owner_, group_;
};

}  // namespace

Action declare_bench(CLI::App& flags) {
  const auto arguments = std::make_shared<BenchArguments>();
  BenchArguments& a = *arguments;
  flags.add_option(
      "WHAT", a.what,
      "ops to time, or passes of them (softmax, softmax/backward); all ops when nothing is named; "
      "or 'step': a whole training step; or 'data': pictures a second, by stage of loading");
  flags.add_option("--threads", a.threads, "CPU threads [all processors]")
      ->type_name("N")
      ->check(CLI::Range(1, 1024).description(""));
  flags.add_option("--json", a.json, "write the figures here too (of ops: in google-benchmark's form)")
      ->type_name("FILE");
  OwnedFlags ops(flags, a, "ops", "Ops");
  ops.flag("--list", a.list, "name the ops, time nothing");
  ops.flag("--all-versions", a.all_versions, "the slower, readable versions too, where an op has them");
  OwnedFlags step(flags, a, "step", "A training step");
  step.option("--config", a.config, "config file, as for training", "FILE");
  step.option("--preset", a.preset, "a named model, as for training", "NAME");
  step.option("--batch-size", a.batch_size, "pairs a step [the config's]", "N");
  step.option("--device", a.device, "'cpu', 'cuda' or 'sim' [the config's]", "NAME");
  step.option("--precision", a.precision, "'fp32', 'bf16' or 'auto' [the config's]", "NAME");
  step.option("--gemm", a.gemm, "'own', 'cublas' or 'auto', as for training [the config's]", "NAME");
  step.option("--gemm-choices", a.gemm_choices, "file of what 'auto' measured [as for training]", "FILE");
  step.option("--attention", a.attention, "'own' or 'cudnn', as for training [the config's]", "NAME");
  step.option("--norm", a.norm, "'own' or 'cudnn', as for training [the config's]", "NAME");
  step.option("--steps", a.steps, "how many are timed [20]", "N");
  step.option("--warmup", a.warmup, "steps before those [3]", "N");
  step.flag("--by-op", a.by_op, "where the time goes, op by op, and the share of the machine's limits");
  step.flag("--nvtx", a.nvtx, "name ops for Nsight Systems, as LIMOE_NVTX=1 does");
  step.option("--save", a.save, "write weights, batch and config as they are before the first step", "DIR");
  OwnedFlags data(flags, a, "data", "Loading data");
  data.option("--data", a.data.data, "a data source, as for training [made: 640 x 480 JPEGs]", "PATH");
  data.option("--image-size", a.data.image_size, "side of the square a model reads [224]", "N");
  data.option("--seconds", a.data.seconds, "how long to measure [5]", "S");
  data.flag("--no-augment", a.no_augment, "load as for evaluation: no crops, no colours");
  flags.footer(
      "  limoe bench --threads 1\n"
      "  limoe bench linear layer_norm/forward --json ops.json\n"
      "  limoe bench step --config configs/emoji.toml --threads 1 --by-op\n"
      "  limoe bench data --data data/photos/train --image-size 96 --threads 4\n"
      "\n"
      "  Every op is checked before it is timed. The table shows the median time of a call, the spread of "
      "seven\n"
      "  repetitions, the rate, and the share of its limit: of this machine's measured multiply-adds a "
      "second\n"
      "  for products of matrices, of a copy of as many bytes for everything else. docs/performance.md has "
      "more.");
  return [arguments] { run_bench(*arguments); };
}

}  // namespace limoe
