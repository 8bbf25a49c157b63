// Checkpoints that were damaged on the disk, and checkpoints that someone made up.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>

#include "models/limoe/parameters.h"
#include "models/train/checkpoint.h"
#include "models/train/checkpoint_files.h"
#include "models/train/manifest.h"
#include "tensor/caching_allocator.h"
#include "tensor/error.h"
#include "tensor/factory.h"
#include "tensor/random.h"
#include "tests/support/scratch_folder.h"

using namespace limoe;
using limoe::testing::ScratchFolder;
namespace fs = std::filesystem;

namespace {

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

// A run with checkpoints of steps 1 and 2.
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
    for (const int64_t step : {1, 2}) {
      TrainerState state;
      state.step = step;
      newest = save_checkpoint(folder,
                               {.model = config,
                                .train = TrainConfig{},
                                .arena = arena,
                                .optimizer_state = {{"moment", full({5}, double(step))}},
                                .trainer = state,
                                .tokenizer = *make_byte_tokenizer()},
                               {.newest = 3})
                   .path;
    }
  }
  std::string file(const std::string& name) const { return newest + "/" + name; }

  // Another text in a file, and a manifest that agrees with it.
  void rewrite(const std::string& name, const std::string& text) const {
    write_bytes(file(name), text);
    write_manifest(newest, checkpoint_files());
  }

  ScratchFolder scratch;
  std::string folder = scratch / "run", newest;
};

// The refusal's one line, without the checkpoint's folder.
std::string refusal(const Run& run) {
  try {
    load_model(run.newest);
    load_trainer(run.newest);
    return "";
  } catch (const FileError& error) {
    const std::string message = error.what();
    CHECK(message.find('\n') == std::string::npos);
    REQUIRE(message.starts_with(run.newest + "/"));
    return message.substr(run.newest.size() + 1);
  }
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("checkpoint damage: a thousand random truncations and flipped bits in each file are all noticed") {
  const Run run;
  std::vector<std::string> names = checkpoint_files();
  names.push_back(kManifestFile);
  int64_t undamaged = 0, noticed = 0, damaged = 0;
  for (size_t file = 0; file < names.size(); ++file) {
    const std::string path = run.file(names[file]), whole = bytes_of(path);
    REQUIRE(!whole.empty());
    for (uint64_t i = 0; i < 1000; ++i) {
      std::string bytes = whole;
      const bool cut = random_below(2, 7, file, 2 * i) == 0;
      const uint64_t at = random_below(cut ? whole.size() : 8 * whole.size(), 7, file, 2 * i + 1);
      if (cut)
        bytes.resize(at);
      else
        bytes[at / 8] = char(bytes[at / 8] ^ (1 << at % 8));
      write_bytes(path, bytes);
      ++damaged;
      noticed += newest_valid_checkpoint(run.folder).path != run.newest;
    }
    write_bytes(path, whole);
    undamaged += newest_valid_checkpoint(run.folder).path == run.newest;
  }
  CHECK(damaged == 6000);
  CHECK(noticed == damaged);
  CHECK(undamaged == int64_t(names.size()));
}

TEST_CASE("checkpoint damage: the last checkpoint that is whole is used, however many after it are not") {
  const Run run;
  const std::string model = run.file(kModelFile);
  write_bytes(model, bytes_of(model) + "x");
  const LoadedModel loaded = load_model(run.folder);
  CHECK(loaded.step == 1);
  REQUIRE(loaded.warnings.size() == 1);
  CHECK(loaded.warnings[0].find(model) == 0);
}

TEST_CASE("hostile checkpoint: a file that is missing, a folder, a pipe or a socket's name is refused") {
  const Run run;
  const std::string path = run.file(kTrainerFile), whole = bytes_of(path);
  const std::string expected =
      concatenate("trainer.json: is missing; expected a file of ", whole.size(), " bytes");
  fs::remove(path);
  CHECK(refusal(run) == expected);
  fs::create_directory(path);
  CHECK(refusal(run) == expected);
  fs::remove(path);
  REQUIRE(mkfifo(path.c_str(), 0600) == 0);
  CHECK(refusal(run) == expected);
  fs::remove(path);
  write_bytes(path, whole);
  CHECK(refusal(run) == "");
  fs::remove(run.file(kManifestFile));
  REQUIRE(mkfifo(run.file(kManifestFile).c_str(), 0600) == 0);
  CHECK(refusal(run) == "MANIFEST.json: is no regular file; expected the list of the checkpoint's files");
}

TEST_CASE("hostile checkpoint: files that the manifest does not name are left alone") {
  const Run run;
  write_bytes(run.file("notes.txt"), "the good one");
  write_bytes(run.file("model.safetensors.bak"), "x");
  CHECK(refusal(run) == "");
}

TEST_CASE("hostile checkpoint: a manifest that names other places, types or sizes is refused") {
  const Run run;
  const std::string whole = bytes_of(run.file(kManifestFile));
  const std::string size = std::to_string(fs::file_size(run.file(kModelFile)));
  const auto with = [&](const std::string& from, const std::string& to) {
    write_bytes(run.file(kManifestFile), replaced(whole, from, to));
    return refusal(run);
  };
  const std::string entry = "{\n   \"bytes\": 1,\n   \"crc32\": \"00000000\"\n  },\n  \"model.safetensors\"";
  const std::string names = "MANIFEST.json: names ", plain = "; expected plain file names";
  CHECK(with("\"model.safetensors\"", "\"../../../../etc/passwd\": " + entry) ==
        names + "\"../../../../etc/passwd\"" + plain);
  CHECK(with("\"model.safetensors\"", "\"/etc/passwd\": " + entry) == names + "\"/etc/passwd\"" + plain);
  CHECK(with("\"model.safetensors\"", "\"..\": " + entry) == names + "\"..\"" + plain);
  CHECK(with("\"model.safetensors\"", "\"\": " + entry) == names + "\"\"" + plain);
  CHECK(with("\"model.safetensors\"", "\"a\\u0000b\": " + entry) == names + "\"a\\u0000b\"" + plain);
  CHECK(with("\"model.safetensors\"", "\"model.safetensor\"") ==
        "MANIFEST.json: does not list model.safetensors; expected it among the files");
  CHECK(with("\"bytes\": " + size, "\"bytes\": 18446744073709551615") ==
        "model.safetensors: has " + size + " bytes; expected 18446744073709551615");
  CHECK(with("\"bytes\": " + size, "\"bytes\": \"" + size + "\"") ==
        "MANIFEST.json: is damaged at \"model.safetensors\"; expected its bytes and crc32");
  CHECK(with("\"bytes\": " + size, "\"bytes\": -1") ==
        "MANIFEST.json: is damaged at \"model.safetensors\"; expected its bytes and crc32");
  CHECK(with("\"version\": 1", "\"version\": 2") == "MANIFEST.json: version is 2; expected 1");
  CHECK(with("\"version\": 1", "\"version\":  1") ==
        "MANIFEST.json: is not as it was written; expected the list of the checkpoint's files");
  for (const std::string text : {"", "[]", "null", "{", "{\"format\": 3}"}) {
    write_bytes(run.file(kManifestFile), text);
    CHECK(refusal(run) == "MANIFEST.json: is damaged; expected the list of the checkpoint's files");
  }
  write_bytes(run.file(kManifestFile), std::string(300'000, '['));
  CHECK(refusal(run) ==
        "MANIFEST.json: has 300000 bytes; expected the list of the checkpoint's files, of at most 262144");
}

TEST_CASE("hostile checkpoint: a trainer.json of wrong types is refused, naming the key") {
  const Run run;
  const std::string whole = bytes_of(run.file(kTrainerFile));
  const auto with = [&](const std::string& from, const std::string& to) {
    run.rewrite(kTrainerFile, replaced(whole, from, to));
    return refusal(run);
  };
  const std::string number = "; expected a whole number of 0 or more";
  CHECK(with("\"step\": 2", "\"step\": 2") == "");
  CHECK(with("\"step\": 2", "\"step\": \"2\"") == "trainer.json: step is \"2\"" + number);
  CHECK(with("\"step\": 2", "\"step\": -2") == "trainer.json: step is -2" + number);
  CHECK(with("\"step\": 2", "\"step\": 9223372036854775808") ==
        "trainer.json: step is 9223372036854775808" + number);
  CHECK(with("\"step\": 2", "\"stop\": 2") == "trainer.json: step is missing" + number);
  CHECK(with("\"loader_epoch\": 0", "\"loader_epoch\": [0]") == "trainer.json: loader_epoch is [0]" + number);
  CHECK(with("\"notes\": {}", "\"notes\": 7") == "trainer.json: notes is 7; expected an object");
  CHECK(with("limoe trainer", "trainer") == "trainer.json: is damaged; expected the state of a trainer");
  CHECK(with("\"version\": 1", "\"version\": \"1\"") == "trainer.json: is of another version; expected 1");
  run.rewrite(kTrainerFile, std::string(200'000, '['));
  CHECK(refusal(run) == "trainer.json: is damaged; expected the state of a trainer");
}

TEST_CASE("hostile checkpoint: a config that does not fit is refused before memory is asked for it") {
  const Run run;
  const std::string whole = bytes_of(run.file(kConfigFile));
  const size_t before = allocator_of({}).counts().peak_live_bytes;
  const auto with = [&](const std::string& from, const std::string& to) {
    run.rewrite(kConfigFile, replaced(whole, from, to));
    return refusal(run);
  };
  CHECK(with("\nwidth = 4\n", "\nwidht = 4\n") ==
        "config.toml: widht is unknown; the nearest known key is width");
  CHECK(with("\nwidth = 4\n", "\nwidth = four\n") ==
        "config.toml: width: is \"four\"; expected a whole number");
  CHECK(with("\nwidth = 4\n", "\nwidth = 4\nwidth = 4\n") ==
        "config.toml: width is given twice; expected once");
  CHECK(
      with("\nwidth = 4\n", "\nwidth = 4 5\n").ends_with(" goes on behind its value; expected key = value"));
  CHECK(with("\nwidth = 4\n", "\nwidth = 9223372036854775807\n") ==
        "config.toml: config: width is 9223372036854775807; expected at most 1073741824");
  CHECK(with("\nwidth = 4\n", "\nwidth = 1073741824\n").starts_with("model.safetensors: "));
  CHECK(with("\nlayers = 2\n", "\nlayers = 1000000000\n") ==
        "config.toml: layers is 1000000000; expected at most 35, the tensors in model.safetensors");
  CHECK(with("\nexperts = 2\n", "\nexperts = 1000000\n").starts_with("model.safetensors: "));
  CHECK(with("\nvocabulary = 259\n", "\nvocabulary = 1000000000\n") ==
        "model.safetensors: token_embed.table is [259, 4]; expected [1000000000, 4]");
  run.rewrite(kConfigFile, std::string(300'000, '\n'));
  CHECK(refusal(run).starts_with("config.toml: has 300000 bytes"));
  CHECK(allocator_of({}).counts().peak_live_bytes - before < (1u << 20));
}
