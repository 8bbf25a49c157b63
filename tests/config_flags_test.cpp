#include "models/cli/config_flags.h"

#include <doctest/doctest.h>

#include <fstream>

#include "data/tokenizer.h"
#include "tensor/error.h"
#include "tests/support/scratch_folder.h"

using namespace limoe;
using limoe::testing::ScratchFolder;

namespace {

Configs resolve(std::vector<std::string> words) {
  CLI::App app;
  ConfigSources sources;
  add_config_flags(app, sources);
  std::reverse(words.begin(), words.end());  // how CLI11 takes a vector
  app.parse(words);
  return resolve_configs(sources);
}

std::string write_config(const ScratchFolder& folder, const std::string& text) {
  const std::string path = folder / "config.toml";
  std::ofstream(path) << text;
  return path;
}

}  // namespace

TEST_CASE("config flags: a flag beats the file, the file the preset, the preset the default") {
  const ScratchFolder folder;
  const std::string file = write_config(folder, "layers = 6\nexperts = 16\nlr = 0.5\n");
  const Configs configs =
      resolve({"--preset", "limoe-b16", "--config", file, "--experts", "24", "--batch-size", "8"});
  CHECK(configs.model.experts == 24);    // flag
  CHECK(configs.model.layers == 6);      // file
  CHECK(configs.model.width == 768);     // preset
  CHECK(configs.model.batch_priority);   // default
  CHECK(configs.train.lr == 0.5);        // file
  CHECK(configs.train.batch_size == 8);  // flag
  CHECK(configs.train.epochs == TrainConfig{}.epochs);
}

TEST_CASE("config flags: a file may name its preset, and a flag another one") {
  const ScratchFolder folder;
  const std::string file = write_config(folder, "preset = \"limoe-s32\"\n");
  CHECK(resolve({"--config", file}).model.width == 512);
  CHECK(resolve({"--config", file, "--preset", "limoe-l16"}).model.width == 1024);
}

TEST_CASE("config flags: the vocabulary asked of a tokenizer is the model's, unless that is named itself") {
  const ScratchFolder folder;
  const std::string file = write_config(folder, "tokenizer-vocabulary = 3000\n");
  CHECK(resolve({"--config", file}).model.vocabulary == 3000);
  CHECK(resolve({"--config", file, "--tokenizer-vocabulary", "500"}).model.vocabulary == 500);
  CHECK(resolve({"--config", file, "--vocabulary", "700"}).model.vocabulary == 700);
  const std::string bytes = folder / "bytes.json";
  make_byte_tokenizer()->save(bytes);
  const int64_t of_bytes = make_byte_tokenizer()->vocab_size();
  REQUIRE(of_bytes != LimoeConfig{}.vocabulary);
  for (const std::string& tokenizer : {std::string("bytes"), bytes}) {
    CHECK(resolve({"--config", file, "--tokenizer", tokenizer}).model.vocabulary == of_bytes);
    CHECK(resolve({"--tokenizer", tokenizer, "--vocabulary", "700"}).model.vocabulary == 700);
  }
  CHECK_THROWS_AS(resolve({"--tokenizer", folder / "nothing"}), FileError);
  CHECK(resolve({"--preset", "limoe-b16"}).model.vocabulary == 32000);
  CHECK(resolve({"--preset", "limoe-b16", "--config", file}).model.vocabulary == 3000);
}

TEST_CASE("config flags: a yes-or-no flag may stand alone or have a value") {
  CHECK(!resolve({}).model.dense);
  CHECK(resolve({"--dense"}).model.dense);
  CHECK(resolve({"--dense", "--width", "96"}).model.dense);
  CHECK(resolve({"--dense", "true"}).model.dense);
  CHECK(!resolve({"--dense", "false"}).model.dense);
  CHECK(!resolve({"--batch-priority=false"}).model.batch_priority);
  CHECK_THROWS_AS(resolve({"--dense", "maybe"}), UsageError);
}

TEST_CASE("config flags: a key of every kind is read, an empty text too") {
  const Configs configs = resolve({"--seed", "18446744073709551615", "--lr", "1e-4", "--moe-layers", "last 2",
                                   "--json-text-key", "name"});
  CHECK(configs.train.seed == 18446744073709551615u);
  CHECK(configs.train.lr == 1e-4);
  CHECK(configs.model.moe_layers == "last 2");
  CHECK(configs.train.json_text_key == "name");
}

TEST_CASE("config flags: wrong keys and values are the caller's mistakes, named with their place") {
  const ScratchFolder folder;
  const std::string file = write_config(folder, "widht = 3\n");
  CHECK_THROWS_WITH_AS(resolve({"--config", file}),
                       (file + ": widht is unknown; the nearest known key is width").c_str(), UsageError);
  write_config(folder, "width = \"wide\"\n");
  CHECK_THROWS_WITH_AS(resolve({"--config", file}),
                       (file + ": width: is \"wide\"; expected a whole number").c_str(), UsageError);
  CHECK_THROWS_AS(resolve({"--patch-size", "7"}), UsageError);
  CHECK_THROWS_AS(resolve({"--preset", "limoe-x"}), UsageError);
  CHECK_THROWS_AS(resolve({"--config", folder / "absent.toml"}), UsageError);
}
