// Saving a checkpoint on a disk that fails at every single call, in every way.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>

#include "models/limoe/parameters.h"
#include "models/train/checkpoint.h"
#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/faults/fault_shim.h"
#include "tests/support/compare.h"
#include "tests/support/scratch_folder.h"

using namespace limoe;
using namespace limoe::testing;
namespace fs = std::filesystem;

namespace {

LimoeConfig smallest_config() {
  LimoeConfig config;
  config.image_size = config.patch_size = 2;
  config.text_length = 2;
  config.vocabulary = 259;
  config.width = config.joint_width = config.mlp_width = 4;
  config.layers = 2;
  config.heads = 1;
  config.experts = 2;
  config.global_text_experts = config.global_image_experts = 2;
  return config;
}

// A run's folder with a checkpoint of step 1. Weights of step n are n.
struct Run {
  explicit Run(int64_t keep = 3) : keep_newest(keep) { save(1); }

  void save(int64_t step) {
    arena.assign("log_scale", full({}, double(step)));
    TrainerState state;
    state.step = step;
    const std::map<std::string, Tensor> optimizer{{"moment", full({5}, double(step))}};
    save_checkpoint(folder,
                    {.model = config,
                     .train = TrainConfig{},
                     .arena = arena,
                     .optimizer_state = optimizer,
                     .trainer = state,
                     .tokenizer = *tokenizer},
                    {.newest = keep_newest});
  }
  // The newest one that loads is whole, and of the step it says.
  int64_t newest() const {
    const LoadedModel model = load_model(folder);
    const LoadedTrainer trainer = load_trainer(model.path);
    CHECK(item((*model.arena)["log_scale"].value()) == double(model.step));
    CHECK(trainer.optimizer_state.at("moment").data<float>()[4] == float(model.step));
    CHECK(trainer.state.step == model.step);
    CHECK(model.warnings.empty());
    return model.step;
  }
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(folder + "/checkpoints"))
      found.push_back(entry.path().filename().string());
    std::sort(found.begin(), found.end());
    return found;
  }

  const int64_t keep_newest;
  ScratchFolder scratch;
  std::string folder = scratch / "run";
  LimoeConfig config = smallest_config();
  ParameterArena arena{parameter_specs(config), 5};
  std::unique_ptr<Tokenizer> tokenizer = make_byte_tokenizer();
};

std::vector<SeenCall> calls_of_a_save(int64_t keep = 3) {
  Run run(keep);
  arm({.path = run.scratch.path()});
  run.save(2);
  return disarm();
}

// The error of the save, which has to be one line; empty when it succeeded.
std::string save_with(Run& run, const FaultPlan& plan) {
  arm(plan);
  std::string message;
  try {
    run.save(2);
  } catch (const FileError& error) {
    message = error.what();
    CHECK(message.starts_with(run.scratch.path()));
    CHECK(message.find('\n') == std::string::npos);
  }
  disarm();
  return message;
}

void fail_every_call(Fault fault, bool lasting, int64_t keep, const std::function<void(Run&, bool)>& look) {
  const std::vector<SeenCall> calls = calls_of_a_save(keep);
  for (size_t at = 0; at < calls.size(); ++at) {
    Run run(keep);
    CAPTURE(name_of(fault));
    CAPTURE(at);
    CAPTURE(name_of(calls[at].call));
    const std::string message =
        save_with(run, {.path = run.scratch.path(), .fault = fault, .at = int64_t(at), .lasting = lasting});
    CAPTURE(message);
    look(run, message.empty());
    run.save(3);  // there is room again
    CHECK(run.newest() == 3);
    for (const std::string& name : run.names()) CHECK(name.starts_with("step-"));
  }
}

// The end of a call in the list, or its size.
size_t position_of(const std::vector<SeenCall>& calls, FileCall call, const std::string& end,
                   size_t from = 0) {
  for (size_t i = from; i < calls.size(); ++i)
    if (calls[i].call == call && (calls[i].path.ends_with(end) || calls[i].to.ends_with(end))) return i;
  return calls.size();
}

}  // namespace

TEST_CASE("checkpoint faults: the shim sees every kind of call, those of libstdc++ too") {
  const std::vector<SeenCall> calls = calls_of_a_save();
  MESSAGE(calls.size() << " calls to a save");
  for (const FileCall call : {FileCall::open, FileCall::write, FileCall::flush, FileCall::rename,
                              FileCall::close, FileCall::make_folder})  // which std::filesystem makes
    CHECK_MESSAGE(
        std::any_of(calls.begin(), calls.end(), [&](const SeenCall& one) { return one.call == call; }),
        name_of(call));
}

TEST_CASE(
    "checkpoint faults: full disk or broken disk, once or from then on, the previous checkpoint loads") {
  int64_t refused = 0;
  for (const Fault fault : {Fault::no_space, Fault::io_error})
    for (const bool lasting : {false, true})
      fail_every_call(fault, lasting, 3, [&](Run& run, bool saved) {
        CHECK(run.names()[0] == "step-00000001");
        CHECK(load_model(run.folder + "/checkpoints/step-00000001").step == 1);
        // A save that fails at its very last flush has its name already.
        if (saved)
          CHECK(run.newest() == 2);
        else
          CHECK(run.newest() <= 2);
        refused += !saved;
      });
  CHECK(refused > 100);  // or no fault was injected
}

TEST_CASE("checkpoint faults: nothing is deleted before the new checkpoint is safe") {
  for (const Fault fault : {Fault::no_space, Fault::io_error})
    fail_every_call(fault, true, 1, [&](Run& run, bool saved) {
      const int64_t newest = run.newest();
      CHECK((newest == 1 || newest == 2));
      if (!saved && newest == 1) CHECK(load_model(run.folder + "/checkpoints/step-00000001").step == 1);
    });
}

TEST_CASE("checkpoint faults: short writes and interrupted calls cost nothing") {
  for (const Fault fault : {Fault::short_write, Fault::interrupted})
    fail_every_call(fault, false, 3, [&](Run& run, bool saved) {
      CHECK(saved);
      CHECK(run.newest() == 2);
    });
}

TEST_CASE("checkpoint faults: killed at every call, the newest checkpoint is one of the two, and whole") {
  const size_t calls = calls_of_a_save(1).size();  // the removal of the older one included
  for (size_t at = 0; at < calls; ++at) {
    Run run(1);
    CAPTURE(at);
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      arm({.path = run.scratch.path(), .fault = Fault::kill, .at = int64_t(at)});
      run.save(2);
      _exit(0);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));
    const int64_t newest = run.newest();
    CHECK((newest == 1 || newest == 2));
    run.save(3);
    CHECK(run.newest() == 3);
    for (const std::string& name : run.names()) CHECK(name.starts_with("step-"));
  }
}

TEST_CASE("checkpoint faults: a checkpoint of the same step is replaced at one blow") {
  for (int64_t at = 0;; ++at) {
    Run run;
    CAPTURE(at);
    run.save(2);
    arm({.path = run.scratch.path(), .fault = Fault::io_error, .at = at});
    try {
      run.save(2);
    } catch (const FileError&) {
    }
    const auto calls = disarm();
    CHECK(run.newest() == 2);
    if (int64_t(calls.size()) <= at) break;
  }
}

TEST_CASE(
    "checkpoint faults: every byte is flushed before its file has a name, and every file before the folder") {
  const std::vector<SeenCall> calls = calls_of_a_save();
  const size_t published = position_of(calls, FileCall::rename, "/step-00000002");
  REQUIRE(published < calls.size());
  size_t files = 0;
  for (size_t i = 0; i < published; ++i) {
    if (calls[i].call != FileCall::rename) continue;
    ++files;
    CAPTURE(calls[i].to);
    size_t last_write = 0, last_flush = 0;
    for (size_t j = 0; j < i; ++j) {
      if (calls[j].path != calls[i].path) continue;
      if (calls[j].call == FileCall::write) last_write = j;
      if (calls[j].call == FileCall::flush) last_flush = j;
    }
    CHECK(last_write > 0);
    CHECK(last_flush > last_write);
  }
  CHECK(files == 6);
  const std::string unfinished = calls[published].path;
  CHECK(calls[published - 1].call == FileCall::close);  // of the folder, just flushed
  CHECK(calls[published - 2].call == FileCall::flush);
  CHECK(calls[published - 2].path == unfinished);
  CHECK(position_of(calls, FileCall::flush, "/checkpoints", published) < calls.size());
  size_t last_renamed = 0;
  for (size_t i = 0; i < published; ++i)
    if (calls[i].call == FileCall::rename) last_renamed = i;
  CHECK(calls[last_renamed].to.ends_with("/MANIFEST.json"));
}

TEST_CASE(
    "checkpoint faults: old checkpoints lose their name before their files, after the new one has its own") {
  Run run(1);
  arm({.path = run.scratch.path()});
  run.save(2);
  const std::vector<SeenCall> calls = disarm();
  const size_t published = position_of(calls, FileCall::rename, "/step-00000002");
  const size_t flushed = position_of(calls, FileCall::flush, "/checkpoints", published);
  const size_t removed = position_of(calls, FileCall::rename, "/step-00000001");
  CHECK(published < flushed);
  CHECK(flushed < removed);
  CHECK(removed < calls.size());
  CHECK(run.names() == std::vector<std::string>{"step-00000002"});
}
