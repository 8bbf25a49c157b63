// limoe_bench: the op benches on google-benchmark. `limoe bench` runs it; so can you, with google-benchmark's
// own flags:
//
//   limoe_bench [OP | OP/PASS ...] [--all-versions] [--threads=N] [--list | --peaks] [--benchmark_...]
//
// --peaks prints what the machine can do at most, as JSON, and times nothing.
//
// Exit status 0, 1 (a case was wrong; the others were still timed), 2 (called wrongly).
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "bench/support/bench_table.h"
#include "bench/support/check_case.h"
#include "bench/support/machine.h"
#include "bench/support/table_reporter.h"
#include "tensor/cpu_level.h"
#include "tensor/error.h"
#include "tensor/parallel.h"

namespace limoe::bench {
namespace {

constexpr int kFailed = 1, kCalledWrongly = 2;
constexpr int kRepetitions = 7;
constexpr double kSecondsEach = 0.05;

struct Arguments {
  std::vector<std::string> ops;
  bool all_versions = false, list = false, peaks = false;
};

int parsed_threads(const std::string& text) {
  char* end = nullptr;
  const long threads = std::strtol(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0' || threads < 1 || threads > 1024)
    throw UsageError("--threads: is \"", text, "\"; expected a number of threads, 1 or more");
  return int(threads);
}

// What google-benchmark left over.
Arguments parsed(int count, char** words) {
  const std::string threads = "--threads=";
  Arguments arguments;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    if (word == "--all-versions")
      arguments.all_versions = true;
    else if (word == "--list")
      arguments.list = true;
    else if (word == "--peaks")
      arguments.peaks = true;
    else if (word.starts_with(threads))
      set_thread_count(parsed_threads(word.substr(threads.size())));
    else if (word.starts_with("-"))
      throw UsageError(
          word,
          " is no flag of limoe_bench; expected --all-versions, --list, --peaks, --threads=N or one of "
          "google-benchmark's (--benchmark_...)");
    else
      arguments.ops.push_back(word);
  }
  return arguments;
}

void print_list(const std::vector<BenchCase>& cases) {
  for (const std::string& op : op_names(cases)) {
    int64_t passes = 0;
    for (const BenchCase& one : cases) passes += one.op == op;
    std::cout << op << "  (" << passes << " cases)\n";
  }
}

// google-benchmark calls a case many times to find how often to repeat it; its inputs are made and its check
// is made once.
class Runner {
 public:
  explicit Runner(Machine& machine) : machine_(machine) {}

  bool all_right() const { return all_right_; }

  void run(benchmark::State& state, const BenchCase& one) {
    if (current_ != &one) prepare(one);
    if (!complaint_.empty()) return state.SkipWithError(complaint_.c_str());
    for (auto _ : state) benchmark::DoNotOptimize(call_());
    using benchmark::Counter;
    const auto rate = Counter::kIsIterationInvariantRate;
    if (one.flop > 0) state.counters["flop_per_second"] = Counter(one.flop, rate);
    if (one.bytes > 0) state.counters["bytes_per_second"] = Counter(one.bytes, rate);
    state.counters["share_of_limit"] = Counter(machine_.least_seconds(one.flop, one.bytes), rate);
  }

 private:
  void prepare(const BenchCase& one) {
    current_ = &one;
    complaint_.clear();
    call_ = {};
    try {
      check_case(one);
      call_ = one.make(DType::f32);
      if (one.flop > 0) machine_.measure_again();
      call_();  // fills caches
    } catch (const Error& error) {
      complaint_ = error.what();
      all_right_ = false;
    }
  }

  Machine& machine_;
  const BenchCase* current_ = nullptr;
  BenchCall call_;
  std::string complaint_;
  bool all_right_ = true;
};

void add_case(const BenchCase& one, Runner& runner) {
  benchmark::RegisterBenchmark(one.name().c_str(),
                               [&one, &runner](benchmark::State& state) { runner.run(state, one); })
      ->UseRealTime()
      ->MinTime(kSecondsEach)
      ->Repetitions(kRepetitions)
      ->Unit(benchmark::kMicrosecond);
}

void print_peaks() {
  Machine machine;
  std::cout << "{\"threads\": " << thread_count() << ", \"flop_per_second\": " << machine.flop_rate()
            << ", \"flop_per_second_one_thread\": " << machine.flop_rate_of_one() << ", \"copy_rates\": [";
  for (int power = 16; power <= 28; power += 2) {
    const double bytes = std::exp2(power);
    std::cout << (power == 16 ? "" : ", ") << "{\"bytes\": " << bytes
              << ", \"bytes_per_second\": " << machine.copy_rate(bytes) << "}";
  }
  std::cout << "]}\n";
}

void add_context(const Machine& machine) {
  benchmark::AddCustomContext("limoe_threads", std::to_string(thread_count()));
  benchmark::AddCustomContext("limoe_built_for", cpu_level());
  benchmark::AddCustomContext("fma_flop_per_second", concatenate(machine.flop_rate()));
  benchmark::AddCustomContext("fma_flop_per_second_one_thread", concatenate(machine.flop_rate_of_one()));
}

int run(int count, char** words) {
  expect_level_of_environment();
  benchmark::Initialize(&count, words);
  const Arguments arguments = parsed(count, words);
  const std::vector<BenchCase> all = all_bench_cases();
  const std::vector<BenchCase> cases = select_cases(all, arguments.ops, arguments.all_versions);
  if (arguments.list) {
    print_list(cases);
    return 0;
  }
  if (arguments.peaks) {
    print_peaks();
    return 0;
  }
  Machine machine;
  add_context(machine);
  Runner runner(machine);
  for (const BenchCase& one : cases) add_case(one, runner);
  TableReporter reporter(machine);
  benchmark::RunSpecifiedBenchmarks(&reporter);
  return runner.all_right() ? 0 : kFailed;
}

}  // namespace
}  // namespace limoe::bench

int main(int argc, char** argv) {
  try {
    return limoe::bench::run(argc, argv);
  } catch (const limoe::UsageError& error) {
    std::cerr << "limoe bench: " << error.what() << std::endl;
    return limoe::bench::kCalledWrongly;
  } catch (const std::exception& error) {
    std::cerr << "limoe bench: " << error.what() << std::endl;
    return limoe::bench::kFailed;
  }
}
