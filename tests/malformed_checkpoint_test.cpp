// Checkpoints made by hand to hurt whoever loads them, with manifests that fit.
#include <doctest/doctest.h>

#include <filesystem>

#include "models/limoe/parameters.h"
#include "models/train/checkpoint.h"
#include "models/train/checkpoint_files.h"
#include "models/train/manifest.h"
#include "tests/support/refusal.h"
#include "tests/support/scratch_folder.h"

using namespace limoe;
using namespace limoe::testing;

namespace {

constexpr size_t kLarge = 900'000;
const std::string kNotUtf8 = "\xff\xfe\x80\xc3";

struct Run {
  Run() {
    LimoeConfig config;
    config.image_size = config.patch_size = 2;
    config.text_length = 2;
    config.vocabulary = 259;
    config.width = config.joint_width = config.mlp_width = 4;
    config.layers = 2;
    config.heads = 1;
    config.experts = 2;
    config.global_text_experts = config.global_image_experts = 2;
    const ParameterArena arena(parameter_specs(config), 5);
    const auto tokenizer = make_byte_tokenizer();
    const TrainerState trainer;
    path = save_checkpoint(folder / "run",
                           {.model = config,
                            .train = TrainConfig{},
                            .arena = arena,
                            .optimizer_state = {},
                            .trainer = trainer,
                            .tokenizer = *tokenizer},
                           {.newest = 1})
               .path;
  }

  std::string refusal() const {
    return refusal_of(path, [&] {
      load_model(path);
      load_trainer(path);
    });
  }
  std::string refusal_with(const std::string& name, const std::string& bytes) const {
    const std::string file = path + "/" + name, aside = folder / "aside";
    std::filesystem::copy_file(file, aside, std::filesystem::copy_options::overwrite_existing);
    write_file(file, bytes);
    if (name != kManifestFile) write_manifest(path, checkpoint_files());
    std::string said = refusal();
    std::filesystem::copy_file(aside, file, std::filesystem::copy_options::overwrite_existing);
    if (name != kManifestFile) write_manifest(path, checkpoint_files());
    return said;
  }

  ScratchFolder folder;
  std::string path;
};

}  // namespace

TEST_CASE("malformed files of a checkpoint: one line, little memory") {
  const Run run;
  CHECK(run.refusal().empty());
  for (const char* config : {"layers = 1000000000\n", "width = 4000000000\n", "layers = -1\n",
                             "vocabulary = 9000000000000000000\n", "image-size = 0\n", "experts = 2\n",
                             "unknown = 1\n", "\xff = 1\n"})
    CHECK(!run.refusal_with(kConfigFile, config).empty());
  const std::string trainer =
      R"({"format": "limoe trainer", "version": 1, "samples_seen": 9, "loader_epoch": 0, )";
  for (const std::string& text : std::vector<std::string>{
           "", "{", trainer, trainer + R"("loader_step": 0, "step": -1})",
           trainer + R"("loader_step": 0, "step": 1e30})", trainer + R"("loader_step": [], "step": 1})",
           trainer + R"("loader_step": 0, "step": 1, "notes": 3})",
           trainer + R"("loader_step": 0, "step": 18446744073709551615})", std::string(kLarge, '['),
           std::string(200'000, '['), kNotUtf8})
    CHECK(!run.refusal_with(kTrainerFile, text).empty());
  for (const char* name : {kModelFile, kOptimizerFile}) {
    CHECK(!run.refusal_with(name, "").empty());
    CHECK(!run.refusal_with(name, little_endian(uint64_t{1} << 63, 8) + "{}").empty());
    CHECK(!run.refusal_with(name, std::string(kLarge, '\xff')).empty());
  }
  CHECK(!run.refusal_with(kModelFile, little_endian(2, 8) + "{}").empty());
  CHECK(!run.refusal_with(kTokenizerFile, kNotUtf8).empty());
  CHECK(!run.refusal_with(kTokenizerFile, std::string(kLarge, '\x0a')).empty());
  CHECK(run.refusal().empty());
}

TEST_CASE("malformed manifests: one line, little memory") {
  const Run run;
  const std::string head = R"({"format": "limoe checkpoint", "version": )";
  for (const std::string& text : std::vector<std::string>{
           "", "[]", "{}", std::string(kLarge, '['), std::string(250'000, '['), kNotUtf8, head + "2}",
           head + R"(1, "files": {}})",
           head + R"(1, "files": {"../../etc/passwd": {"bytes": 1, "crc32": "0"}}})",
           head + R"(1, "files": {"\u0000": {"bytes": 1, "crc32": "0"}}})",
           head + R"(1, "files": {"trainer.json": {"bytes": 18446744073709551616, "crc32": 0}}})"})
    CHECK(!run.refusal_with(kManifestFile, text).empty());
  std::filesystem::remove(run.path + "/" + kManifestFile);
  CHECK(!run.refusal().empty());
  std::filesystem::create_directory(run.path + "/" + kManifestFile);
  CHECK(!run.refusal().empty());
}
