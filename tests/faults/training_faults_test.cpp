// Training on a disk that fills up, or that breaks, while it goes on.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>

#include "data/make.h"
#include "models/train/checkpoint.h"
#include "models/train/trainer.h"
#include "tensor/error.h"
#include "tests/faults/fault_shim.h"
#include "tests/support/compare.h"
#include "tests/support/scratch_folder.h"

using namespace limoe;
using namespace limoe::testing;
namespace fs = std::filesystem;

namespace {

const std::string& scenes() {
  static const ScratchFolder folder;
  static const std::string path = [] {
    const std::string out = folder / "shapes";
    MakeOptions options;
    options.out = out;
    options.size = 16;
    options.count = 64;
    options.difficulty = 1;
    make_shapes(options);
    return out + "/train";
  }();
  return path;
}

TrainRequest small_request() {
  TrainRequest request;
  LimoeConfig& model = request.model;
  model.image_size = 16;
  model.patch_size = 8;
  model.text_length = 12;
  model.width = model.joint_width = 16;
  model.layers = model.heads = 2;
  model.mlp_width = 32;
  model.experts = 4;
  model.global_text_experts = model.global_image_experts = 3;
  TrainConfig& train = request.train;
  train.train_data = scenes();
  train.tokenizer = "bytes";
  train.batch_size = 16;
  train.max_steps = 8;
  train.warmup = 2;
  train.log_every_n_steps = 1;
  train.save_every_steps = 2;
  train.keep_checkpoints = 2;
  return request;
}

// Keeps the warnings, and does something after a step was reported.
struct Watch final : TrainObserver {
  std::function<void(int64_t)> after = [](int64_t) {};
  std::vector<std::string> warnings, notes;
  void step(const StepReport& report) override { after(report.step); }
  void warning(const std::string& text) override {
    // Those about files; advice about the router or the loader is not what is tested.
    if (text.find("/limoe_test_") != std::string::npos) warnings.push_back(text);
  }
  void note(const std::string& text) override { notes.push_back(text); }
};

TrainResult run(const TrainRequest& request, const std::string& out, Watch& watch) {
  RunFolder folder(out, request.resume);
  TrainObservers both({&folder, &watch});
  return train(request, folder, both);
}

std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

// From the report of step `from` until that of step `until` the disk has no room.
void fill_disk(Watch& watch, const std::string& path, int64_t from, int64_t until,
               Fault fault = Fault::no_space) {
  watch.after = [=](int64_t step) {
    if (step == from) arm({.path = path, .fault = fault, .lasting = true});
    if (step == until) disarm();
  };
}

}  // namespace

TEST_CASE(
    "training faults: a disk that is full for a while costs a checkpoint and a warning, never the training") {
  for (const Fault fault : {Fault::no_space, Fault::io_error}) {
    const ScratchFolder scratch;
    Watch undisturbed, watch;
    run(small_request(), scratch / "whole", undisturbed);
    fill_disk(watch, "/run/checkpoints", 3, 5, fault);
    const TrainResult result = run(small_request(), scratch / "run", watch);
    disarm();
    CHECK(result.steps == 8);
    CHECK(names_in(scratch / "run/checkpoints") ==
          std::vector<std::string>{"step-00000006", "step-00000008"});
    CHECK_SAME_BITS(load_model(scratch / "run").arena->values(),
                    load_model(scratch / "whole").arena->values());
    REQUIRE(watch.warnings.size() == 1);
    CAPTURE(watch.warnings[0]);
    CHECK(watch.warnings[0].starts_with("step 4: no checkpoint was saved: "));
    CHECK(watch.warnings[0].find(fault == Fault::no_space ? "No space left" : "Input/output error") !=
          std::string::npos);
    CHECK(watch.warnings[0].find("step-00000002 stands, and training goes on") != std::string::npos);
    CHECK(lines_of(scratch / "run/metrics.jsonl").size() == 8);
  }
}

TEST_CASE(
    "training faults: when the last save fails the run fails, with its metrics and older checkpoints kept") {
  const ScratchFolder scratch;
  Watch watch;
  fill_disk(watch, "/run/checkpoints", 7, 99);
  std::string message;
  try {
    run(small_request(), scratch / "run", watch);
  } catch (const FileError& error) {
    message = error.what();
  }
  disarm();
  CAPTURE(message);
  CHECK(message.starts_with("train: step 8: the last checkpoint was not saved: "));
  CHECK(message.find("No space left on device; ") != std::string::npos);
  CHECK(message.find("step-00000006 stands; free space") != std::string::npos);
  CHECK(message.find('\n') == std::string::npos);
  CHECK(lines_of(scratch / "run/metrics.jsonl").size() == 8);
  TrainRequest again = small_request();
  again.resume = true;
  Watch nothing;
  CHECK(run(again, scratch / "run", nothing).steps == 8);
  CHECK(load_model(scratch / "run").step == 8);
}

TEST_CASE(
    "training faults: lines of metrics and log that cannot be written are told once, and none is torn") {
  const ScratchFolder scratch;
  Watch watch;
  for (const std::string file : {"metrics.jsonl", "out.log"}) {
    watch.warnings.clear();
    fill_disk(watch, "/" + file, 3, 6);
    run(small_request(), scratch / ("run-" + file), watch);
    disarm();
    REQUIRE(watch.warnings.size() == 2);
    CHECK(watch.warnings[0].find(file + ": cannot be written: No space left on device; training goes on") !=
          std::string::npos);
    CHECK(watch.warnings[1].find(file + ": can be written again; ") != std::string::npos);
  }
  // The step at which the disk fills up was written, and so was the one at which there is room again.
  const auto lines = lines_of(scratch / "run-metrics.jsonl/metrics.jsonl");
  REQUIRE(lines.size() == 5);
  const int64_t steps[] = {1, 2, 3, 7, 8};
  for (size_t i = 0; i < lines.size(); ++i) {
    CHECK(lines[i].starts_with("{\"step\":" + std::to_string(steps[i]) + ","));
    CHECK(lines[i].ends_with("}"));
  }
}

TEST_CASE("training faults: half a line that cannot be taken back is ended before the next one") {
  const ScratchFolder scratch;
  LineFile file(scratch / "lines");
  file.append("one");
  // The second write of a line of which the first wrote half.
  arm({.path = scratch / "lines", .fault = Fault::short_write, .at = 0});
  file.append("two");
  CHECK(disarm().size() == 2);
  arm({.path = scratch / "lines", .fault = Fault::no_space, .at = 0, .lasting = true});
  CHECK_THROWS_AS(file.append("three"), FileError);
  disarm();
  CHECK(lines_of(scratch / "lines") == std::vector<std::string>{"one", "two"});
  arm({.path = scratch / "lines", .fault = Fault::io_error, .at = 0, .lasting = true});
  CHECK_THROWS_WITH_AS(
      file.append("four"),
      (scratch / "lines" + ": cannot be written: Input/output error; its last line may be cut "
                           "short")
          .c_str(),
      FileError);
  disarm();
  file.append("five");
  CHECK(lines_of(scratch / "lines") == std::vector<std::string>{"one", "two", "", "five"});
}

TEST_CASE("training faults: a run folder that cannot be begun fails at once, whichever call it is") {
  int64_t failed = 0;
  for (int64_t at = 0;; ++at) {
    const ScratchFolder scratch;
    arm({.path = scratch.path() + "/run", .fault = Fault::no_space, .at = at, .lasting = true});
    try {
      RunFolder folder(scratch / "run", false);
      folder.write_config("a = 1\n");
    } catch (const FileError& error) {
      CHECK(std::string(error.what()).starts_with(scratch / "run"));
      ++failed;
    }
    const auto calls = disarm();
    if (int64_t(calls.size()) <= at) break;
    CHECK(at < 100);
  }
  CHECK(failed > 8);
}

TEST_CASE("training faults: checkpoints at multiples of keep-every-steps are never removed") {
  const ScratchFolder scratch;
  TrainRequest request = small_request();
  request.train.keep_every_steps = 4;
  request.train.keep_checkpoints = 1;
  request.train.max_steps = 10;
  Watch watch;
  run(request, scratch / "run", watch);
  CHECK(names_in(scratch / "run/checkpoints") ==
        std::vector<std::string>{"step-00000004", "step-00000008", "step-00000010"});
}

TEST_CASE("training faults: a run that has no checkpoint yet begins again when it is resumed, and says so") {
  const ScratchFolder scratch;
  Watch watch;
  run(small_request(), scratch / "whole", watch);
  run(small_request(), scratch / "run", watch);
  fs::remove_all(scratch / "run/checkpoints");
  TrainRequest again = small_request();
  again.resume = true;
  watch.notes.clear();
  run(again, scratch / "run", watch);
  CHECK(std::count(watch.notes.begin(), watch.notes.end(),
                   scratch / "run" + ": has no checkpoint yet; its run begins again at step 0") == 1);
  CHECK_SAME_BITS(load_model(scratch / "run").arena->values(), load_model(scratch / "whole").arena->values());
  CHECK(lines_of(scratch / "run/metrics.jsonl").size() == 8);
}
