#include "models/train/checkpoint.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "models/limoe/parameters.h"
#include "models/train/checkpoint_files.h"
#include "models/train/fields.h"
#include "models/train/manifest.h"
#include "tensor/error.h"
#include "tensor/factory.h"
#include "tensor/safetensors.h"
#include "tests/support/compare.h"
#include "tests/support/scratch_folder.h"

using namespace limoe;
using limoe::testing::ScratchFolder;
namespace fs = std::filesystem;

namespace {

LimoeConfig small_config() {
  LimoeConfig config;
  config.image_size = 8;
  config.patch_size = 4;
  config.text_length = 4;
  config.vocabulary = 259;
  config.width = 8;
  config.layers = 2;
  config.heads = 2;
  config.mlp_width = 16;
  config.joint_width = 8;
  config.experts = 2;
  config.global_text_experts = config.global_image_experts = 2;
  return config;
}

// A run's folder and a model to save into it.
struct Run {
  ScratchFolder scratch;
  std::string folder = scratch / "run";
  LimoeConfig config = small_config();
  TrainConfig train;
  ParameterArena arena{parameter_specs(config), 5};
  std::map<std::string, Tensor> optimizer{{"steps", full({}, 7, DType::i32)},
                                          {"first_moment.log_scale", full({}, 0.25)}};
  std::unique_ptr<Tokenizer> tokenizer = make_byte_tokenizer();

  std::string save(int64_t step, KeepRule keep = {.newest = 3}) {
    const TrainerState state{.step = step,
                             .samples_seen = 64 * step,
                             .loader = {.epoch = 2, .step = 3},
                             .notes = R"({"window":[0.1,1e-300]})"};
    return save_checkpoint(folder,
                           {.model = config,
                            .train = train,
                            .arena = arena,
                            .optimizer_state = optimizer,
                            .trainer = state,
                            .tokenizer = *tokenizer},
                           keep)
        .path;
  }

  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(folder + "/checkpoints"))
      found.push_back(entry.path().filename().string());
    std::sort(found.begin(), found.end());
    return found;
  }
};

void flip_a_bit(const std::string& path, int64_t at) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(at);
  const char byte = char(file.get());
  file.seekp(at);
  file.put(char(byte ^ 4));
}

// Replaces the model's tensors and makes the manifest fit again: a whole checkpoint with wrong contents.
void rewrite_model(const std::string& path, const std::map<std::string, Tensor>& tensors) {
  write_safetensors(path + "/" + kModelFile, tensors, {{"format", kTensorFormat}});
  write_manifest(path, checkpoint_files());
}

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const FileError& error) {
    return error.what();
  }
  return "no FileError";
}

}  // namespace

TEST_CASE("checkpoint: everything comes back bit for bit") {
  Run run;
  run.train.lr = 1.0 / 3;
  run.train.train_data = "data/a::data/b";
  const std::string path = run.save(1234);
  CHECK(fs::path(path).filename() == "step-00001234");
  CHECK(run.names() == std::vector<std::string>{"step-00001234"});
  const LoadedModel model = load_model(run.folder);
  CHECK(model.path == path);
  CHECK(model.step == 1234);
  CHECK(model.warnings.empty());
  CHECK_SAME_BITS(model.arena->values(), run.arena.values());
  CHECK(to_toml(model.config, "") == to_toml(run.config, ""));
  CHECK(to_toml(model.train_config, "") == to_toml(run.train, ""));
  CHECK(model.tokenizer->kind() == "bytes");
  const LoadedTrainer trainer = load_trainer(path);
  CHECK(trainer.state.step == 1234);
  CHECK(trainer.state.samples_seen == 64 * 1234);
  CHECK(trainer.state.loader == LoaderPosition{2, 3});
  CHECK(trainer.state.notes == R"({"window":[0.1,1e-300]})");
  REQUIRE(trainer.optimizer_state.size() == 2);
  for (const auto& [name, tensor] : run.optimizer) CHECK_SAME_BITS(trainer.optimizer_state.at(name), tensor);
}

TEST_CASE("checkpoint: a checkpoint's folder loads as its run's folder does") {
  Run run;
  const std::string path = run.save(1);
  CHECK(load_model(path).path == path);
  CHECK(load_model(path + "/").step == 1);
}

TEST_CASE("checkpoint: the newest are kept, and a step saved twice is replaced") {
  Run run;
  for (const int64_t step : {9, 10, 100}) run.save(step, {.newest = 2});
  CHECK(run.names() == std::vector<std::string>{"step-00000010", "step-00000100"});
  run.optimizer["first_moment.log_scale"] = full({}, 0.5);
  const std::string path = run.save(100, {.newest = 2});
  CHECK(item(load_trainer(path).optimizer_state.at("first_moment.log_scale")) == 0.5);
  CHECK(run.names().size() == 2);
}

TEST_CASE(
    "checkpoint: a file that was cut, changed or lost is noticed, and the checkpoint before it is used") {
  for (const std::string& name : checkpoint_files())
    for (const int damage : {0, 1, 2}) {
      Run run;
      const std::string older = run.save(1), newer = run.save(2);
      const std::string file = newer + "/" + name;
      CAPTURE(file);
      if (damage == 0) fs::resize_file(file, fs::file_size(file) - 1);
      if (damage == 1) flip_a_bit(file, int64_t(fs::file_size(file) / 2));
      if (damage == 2) fs::remove(file);
      CHECK(message_of([&] { verify_checkpoint(newer); }).starts_with(file));
      CHECK(message_of([&] { load_model(newer); }).starts_with(file));
      const LoadedModel loaded = load_model(run.folder);
      CHECK(loaded.path == older);
      REQUIRE(loaded.warnings.size() == 1);
      CHECK(loaded.warnings[0].find(name) != std::string::npos);
    }
}

TEST_CASE("checkpoint: a damaged manifest is noticed wherever it is damaged") {
  Run run;
  const std::string older = run.save(1), newer = run.save(2), manifest = newer + "/" + kManifestFile;
  const auto size = int64_t(fs::file_size(manifest));
  int64_t unnoticed = 0;
  for (int64_t at = 0; at < size; ++at) {
    flip_a_bit(manifest, at);
    unnoticed += newest_valid_checkpoint(run.folder).path == newer;
    flip_a_bit(manifest, at);
  }
  CHECK(newest_valid_checkpoint(run.folder).path == newer);
  CHECK(unnoticed == 0);
  fs::resize_file(manifest, uintmax_t(size) / 2);
  CHECK(newest_valid_checkpoint(run.folder).path == older);
  std::ofstream(manifest) << R"({"format": "limoe checkpoint", "version": 1, "files": {"../x": {}}})";
  CHECK(newest_valid_checkpoint(run.folder).path == older);
  std::ofstream(manifest) << R"({"format": "limoe checkpoint", "version": 1, "files": {}})";
  CHECK(newest_valid_checkpoint(run.folder).path == older);
}

TEST_CASE(
    "checkpoint: a save that was interrupted leaves the older one, and its remains go at the next save") {
  Run run;
  const std::string older = run.save(1);
  const std::string remains = run.folder + "/checkpoints/.tmp-12345";
  fs::create_directory(remains);
  std::ofstream(remains + "/model.safetensors") << "half a fi";
  CHECK(load_model(run.folder).path == older);
  run.save(2);
  CHECK(!fs::exists(remains));
}

TEST_CASE("checkpoint: a save that fails throws, and what was there is as it was") {
  Run run;
  const std::string older = run.save(1);
  run.optimizer["first_moment.log_scale"] = Tensor();  // holds nothing and cannot be written
  CHECK_THROWS_AS(run.save(2), Error);
  CHECK(run.names() == std::vector<std::string>{"step-00000001"});
  CHECK(load_model(run.folder).path == older);
  std::ofstream(run.scratch / "file") << "no folder";
  run.folder = run.scratch / "file";
  CHECK_THROWS_AS(run.save(1), FileError);
}

TEST_CASE("checkpoint: after going on from an older one, damaged newer ones do not displace it") {
  Run run;
  run.save(50);
  const std::string damaged = run.save(100);
  fs::remove(damaged + "/" + kModelFile);
  run.save(60, {.newest = 2});
  CHECK(run.names() == std::vector<std::string>{"step-00000050", "step-00000060", "step-00000100"});
  CHECK(load_model(run.folder).step == 60);
}

TEST_CASE("checkpoint: a tensor that does not fit the config is named, with what was found and expected") {
  Run run;
  const std::string path = run.save(1), file = path + "/" + kModelFile;
  const std::map<std::string, Tensor> whole = read_safetensors(file).tensors;

  auto tensors = whole;
  tensors["final_norm.scale"] = zeros({9});
  rewrite_model(path, tensors);
  CHECK(message_of([&] { load_model(path); }) == file + ": final_norm.scale is [9]; expected [8]");

  tensors = whole;
  tensors["final_norm.scale"] = zeros({8}, DType::f64);
  rewrite_model(path, tensors);
  CHECK(message_of([&] { load_model(path); }) == file + ": final_norm.scale is f64; expected f32");

  tensors = whole;
  tensors.erase("log_scale");
  rewrite_model(path, tensors);
  CHECK(message_of([&] { load_model(path); }) == file + ": log_scale is missing; expected []");

  tensors = whole;
  tensors["final_norm.scales"] = zeros({8});
  rewrite_model(path, tensors);
  CHECK(message_of([&] { load_model(path); }) == file +
                                                     ": final_norm.scales is unknown to the config beside "
                                                     "it; the nearest parameter is final_norm.scale");
}

TEST_CASE("checkpoint: folders without one are refused in words") {
  Run run;
  CHECK(message_of([&] { load_model(run.folder); }) ==
        run.folder + ": does not exist; expected a run's folder or one of its checkpoints");
  fs::create_directories(run.folder + "/checkpoints/step-abc");
  CHECK(message_of([&] { load_model(run.folder); }) ==
        run.folder + ": holds no checkpoint; expected a run's folder or one of its checkpoints");
  fs::remove(run.save(1) + "/" + kConfigFile);
  CHECK(message_of([&] { load_model(run.folder); }).find("has no valid checkpoint left") !=
        std::string::npos);
}

TEST_CASE("checkpoint: a tokenizer with more pieces than the model's vocabulary is refused") {
  Run run;
  run.config.vocabulary = 100;
  run.save(1);
  CHECK(message_of([&] { load_model(run.folder); }).find("expected at most 100") != std::string::npos);
}
