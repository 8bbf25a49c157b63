// The whole loop on a small real set: procedural scenes, made here.
#include "models/train/trainer.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "data/make.h"
#include "models/train/checkpoint.h"
#include "tensor/caching_allocator.h"
#include "tensor/error.h"
#include "tensor/parallel.h"
#include "tests/support/compare.h"
#include "tests/support/scratch_folder.h"

using namespace limoe;
using namespace limoe::testing;

namespace {

namespace fs = std::filesystem;

// 64 scenes, made once for all cases.
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
  request.model.image_size = 16;
  request.model.patch_size = 8;
  request.model.text_length = 12;
  request.model.width = 16;
  request.model.layers = 2;
  request.model.heads = 2;
  request.model.mlp_width = 32;
  request.model.joint_width = 16;
  request.model.experts = 4;
  request.model.local_text_weight = request.model.global_text_weight = request.model.global_image_weight =
      0.02;
  request.model.global_text_experts = request.model.global_image_experts = 3;
  request.model.router_noise = 1;
  request.train.train_data = scenes();
  request.train.tokenizer = "bytes";
  request.train.batch_size = 16;
  request.train.max_steps = 12;
  request.train.warmup = 2;
  request.train.log_every_n_steps = 4;
  request.train.lr = 3e-3;
  return request;
}

TrainResult run(const TrainRequest& request, const std::string& out, TrainObserver& observer) {
  RunFolder folder(out, request.resume);
  TrainObservers both({&folder, &observer});
  return train(request, folder, both);
}

TrainResult run(const TrainRequest& request, const std::string& out) {
  TrainObserver nobody;
  return run(request, out, nobody);
}

Tensor weights_of(const std::string& run_folder) {
  return load_model(run_folder).arena->values();
}

std::vector<nlohmann::json> metrics_of(const std::string& run_folder) {
  std::ifstream file(run_folder + "/metrics.jsonl");
  std::vector<nlohmann::json> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

// Stops the run when a step is reported.
struct StopAt final : TrainObserver {
  explicit StopAt(int64_t step) : at(step) {}
  void step(const StepReport& report) override {
    if (report.step >= at) stop = true;
  }
  const int64_t at;
  std::atomic<bool> stop{false};
};

}  // namespace

TEST_CASE("the same seed gives the same bits: run twice, on 1 and 3 threads, with 0 and 2 loader workers") {
  const ScratchFolder scratch;
  TrainRequest request = small_request();
  run(request, scratch / "a");
  run(request, scratch / "b");
  CHECK_SAME_BITS(weights_of(scratch / "a"), weights_of(scratch / "b"));
  const int threads = thread_count();
  request.train.threads = 1;
  request.train.workers = 0;
  run(request, scratch / "c");
  request.train.threads = 3;
  request.train.workers = 2;
  run(request, scratch / "d");
  set_thread_count(threads);
  CHECK_SAME_BITS(weights_of(scratch / "a"), weights_of(scratch / "c"));
  CHECK_SAME_BITS(weights_of(scratch / "a"), weights_of(scratch / "d"));
  request.train.seed = 1;
  run(request, scratch / "other");
  CHECK_FALSE(same_bits(weights_of(scratch / "a"), weights_of(scratch / "other")).ok);
}

TEST_CASE("a run that is stopped and resumed ends with the weights and metrics of one that was not") {
  const ScratchFolder scratch;
  TrainRequest request = small_request();
  run(request, scratch / "whole");
  StopAt stopper(4);
  request.stop = &stopper.stop;
  const TrainResult first = run(request, scratch / "parts", stopper);
  CHECK(first.stopped);
  CHECK(first.steps == 4);
  request.stop = nullptr;
  request.resume = true;
  const TrainResult second = run(request, scratch / "parts");
  CHECK_FALSE(second.stopped);
  CHECK_SAME_BITS(weights_of(scratch / "parts"), weights_of(scratch / "whole"));
  const auto whole = metrics_of(scratch / "whole"), parts = metrics_of(scratch / "parts");
  REQUIRE(parts.size() == whole.size());
  for (size_t i = 0; i < whole.size(); ++i) {
    CHECK(parts[i]["step"] == whole[i]["step"]);
    CHECK(parts[i]["train/loss"] == whole[i]["train/loss"]);
  }
}

TEST_CASE("after two steps of warm-up a training step asks the system for no tensor memory") {
  struct Watch final : TrainObserver {
    void step(const StepReport& report) override {
      const int64_t now = allocator_of({}).counts().backend_allocations;
      if (report.step > 2) CHECK(now == before);
      before = now;
    }
    int64_t before = 0;
  } watch;
  const ScratchFolder scratch;
  TrainRequest request = small_request();
  request.train.log_every_n_steps = 1;
  request.train.workers = 0;  // what a loader makes ahead depends on the clock
  run(request, scratch / "run", watch);
}

TEST_CASE("metrics.jsonl names every loss, and for each MoE block and modality the load per expert") {
  const ScratchFolder scratch;
  run(small_request(), scratch / "run");
  const auto lines = metrics_of(scratch / "run");
  REQUIRE(lines.size() == 3);
  const nlohmann::json& last = lines.back();
  CHECK(last["step"] == 12);
  CHECK(last["samples_seen"] == 12 * 16);
  for (const char* key :
       {"train/loss", "train/contrastive_loss", "train/local_text/block1", "train/global_text/block1",
        "train/global_image/block1", "train/lr", "train/logit_scale", "train/samples_per_second",
        "train/data_time", "router/block1/image/drop_rate", "router/block1/text/mean_gate"})
    CHECK_MESSAGE(last.contains(key), key);
  for (const char* key : {"router/block1/image/load", "router/block1/text/load"}) {
    double sum = 0;
    for (const double share : last[key]) sum += share;
    CHECK(sum == doctest::Approx(1));
  }
  CHECK(fs::exists(scratch / "run/config.toml"));
  CHECK(fs::exists(scratch / "run/out.log"));
}

TEST_CASE("a learning rate that makes the weights overflow stops the run and says where") {
  const ScratchFolder scratch;
  TrainRequest request = small_request();
  request.train.lr = 1e30;
  request.train.warmup = 0;
  request.train.grad_clip_norm = 0;
  std::string message;
  try {
    run(request, scratch / "run");
  } catch (const Error& error) {
    message = error.what();
  }
  CHECK_MESSAGE(message.find("lower --lr") != std::string::npos, message);
  CHECK_MESSAGE((message.find("op ") != std::string::npos || message.find("parameter ") != std::string::npos),
                message);
}

TEST_CASE("a run folder is not overwritten, and a training set that is not there is named") {
  const ScratchFolder scratch;
  run(small_request(), scratch / "run");
  CHECK_THROWS_AS(run(small_request(), scratch / "run"), FileError);
  TrainRequest request = small_request();
  request.train.train_data = scratch / "nothing";
  CHECK_THROWS_AS(run(request, scratch / "other"), FileError);
}
