#include "models/cli/cli.h"

#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "models/cli/command.h"
#include "models/cli/help_formatter.h"
#include "models/cli/progress.h"
#include "models/cli/table.h"
#include "models/cli/terminal.h"
#include "models/limoe/parameters.h"
#include "models/train/checkpoint.h"
#include "tensor/safetensors.h"
#include "tests/support/limoe_says.h"
#include "tests/support/shard_fixture.h"

using namespace limoe;
using testing::contains;
using testing::limoe_says;
using testing::Said;

namespace {

// A run's folder with a small model that was never trained.
std::string save_model(const testing::ScratchFolder& folder) {
  LimoeConfig config;
  config.image_size = 12;
  config.patch_size = 4;
  config.text_length = 12;
  config.vocabulary = 259;
  config.width = config.joint_width = 16;
  config.layers = config.heads = 2;
  config.mlp_width = 32;
  const ParameterArena arena(parameter_specs(config), 1);
  save_checkpoint(folder / "run",
                  {.model = config,
                   .train = TrainConfig{},
                   .arena = arena,
                   .optimizer_state = {},
                   .trainer = TrainerState{},
                   .tokenizer = *make_byte_tokenizer()},
                  {});
  return folder / "run";
}

}  // namespace

TEST_CASE("limoe: every command has a page of help with an example of itself") {
  for (const Command& command : commands()) {
    CAPTURE(command.name);
    const Said said = limoe_says({command.name, "--help"});
    CHECK(said.status == 0);
    CHECK(said.errors.empty());
    CHECK(contains(said.output, std::string("  limoe ") + command.name));
    CHECK(contains(said.output, "--help"));
  }
  const Said said = limoe_says({"--help"});
  for (const Command& command : commands()) CHECK(contains(said.output, std::string("\n  ") + command.name));
  CHECK(limoe_says({"--version"}).output == std::string("limoe ") + kVersion + "\n");
  CHECK(limoe_says({}).status == 2);
}

TEST_CASE("limoe: a wrong call is one line that names the nearest right one, and exit status 2") {
  const std::vector<std::pair<std::vector<std::string>, std::string>> calls{
      {{"infos"}, "limoe: \"infos\" is no command; the nearest one is info (see limoe --help)\n"},
      {{"info", "--widht", "3"}, "limoe: --widht is no flag of `limoe info`; the nearest one is --width\n"},
      {{"info", "--widht=3"}, "limoe: --widht is no flag of `limoe info`; the nearest one is --width\n"},
      {{"info", "--width", "3x"}, "limoe: --width: is \"3x\"; expected a whole number\n"},
      {{"info", "--width"}, "limoe: --width has no value; expected one (see limoe info --help)\n"},
      {{"info", "--lr", "1", "--lr", "2"},
       "limoe: --lr is given more than once; expected once (see limoe info --help)\n"},
      {{"info", "--preset", "limoe-b17"},
       "limoe: preset: \"limoe-b17\" is unknown; the nearest known one is limoe-b16\n"},
      {{"info", "more"}, "limoe: \"more\" is one argument too many (see limoe info --help)\n"},
      {{"info", "--width", "100"}, "limoe: config: heads is 6; expected a divisor of width, which is 100\n"},
      {{"info", "--config", "/nowhere/x.toml"},
       "limoe: --config: /nowhere/x.toml: cannot be opened: No such file or directory; expected a config "
       "file\n"},
      {{"search", "run", "a heart"},
       "limoe: --images is missing; expected a value (see limoe search --help)\n"},
      {{"data", "emojis", "--out", "x"},
       "limoe: data: \"emojis\" is unknown; the nearest data set is emoji\n"},
      {{"eval", "run", "--task", "retreival", "--data", "x"},
       "limoe: --task: \"retreival\" is unknown; the nearest one is retrieval\n"},
      {{"embed", "run", "--out", "x"},
       "limoe: embed: neither --images nor --texts is given; expected at least one\n"}};
  for (const auto& [words, line] : calls) {
    const Said said = limoe_says(words);
    CHECK(said.errors == line);
    CHECK(said.status == 2);
    CHECK(said.output.empty());
  }
}

TEST_CASE("limoe: what fails is one line and exit status 1") {
  const Said said = limoe_says({"search", "/nowhere", "a", "--images", "/nowhere"});
  CHECK(said.status == 1);
  CHECK(said.errors.starts_with("limoe: /nowhere: "));
  CHECK(std::count(said.errors.begin(), said.errors.end(), '\n') == 1);
}

TEST_CASE("limoe info: prints a table, and the same in JSON") {
  const Said table = limoe_says({"info", "--preset", "limoe-h14"});
  CHECK(table.status == 0);
  CHECK(contains(table.output, "5,553.77 M"));
  CHECK(contains(table.output, "675.51 M"));
  const auto json = nlohmann::json::parse(limoe_says({"info", "--preset", "limoe-h14", "--json"}).output);
  CHECK(json["parameters"] == 5553770241);
  CHECK(json["memory_bytes"]["weights"] == 4 * 5553770241);
}

TEST_CASE("limoe search: ranks every picture that can be read, best first") {
  const testing::ScratchFolder folder;
  const std::string run = save_model(folder);
  write_pairs(folder / "pairs", 9, 4);
  const Said said = limoe_says({"search", run, "thing", "4", "--images", folder / "pairs", "--top", "3"});
  CHECK(said.status == 0);
  CHECK(said.errors.empty());
  CHECK(contains(said.output, "\"thing 4\" among 9 pictures"));
  CHECK(contains(said.output, "\n1  "));
  CHECK(contains(said.output, "\n3  "));
  CHECK(!contains(said.output, "\n4  "));
}

TEST_CASE("limoe search: a folder of picture files works, captions beside them, and broken ones are named") {
  const testing::ScratchFolder folder;
  const std::string run = save_model(folder);
  std::filesystem::create_directories(folder / "pictures/sub");
  const std::vector<uint8_t> png = encode_png(numbered_image(20, 12, 1));
  for (const char* name : {"pictures/a.PNG", "pictures/sub/b.png"})
    std::ofstream(folder / name, std::ios::binary) << text_of(png);
  std::ofstream(folder / "pictures/a.txt") << "a first\ncaption\n";
  std::ofstream(folder / "pictures/broken.jpg") << "no picture";
  const Said said = limoe_says({"search", run, "x", "--images", folder / "pictures"});
  CHECK(said.status == 0);
  CHECK(contains(said.output, "among 2 pictures"));
  CHECK(contains(said.output, "a first caption  a.PNG"));
  CHECK(contains(said.output, "sub/b.png"));
  CHECK(contains(said.errors, "broken.jpg"));
  std::filesystem::create_directories(folder / "empty");
  CHECK(limoe_says({"search", run, "x", "--images", folder / "empty"}).status == 1);
}

TEST_CASE("limoe embed: unit rows in the order of names and lines, with both in the metadata") {
  const testing::ScratchFolder folder;
  const std::string run = save_model(folder);
  write_pairs(folder / "pairs", 5, 2);
  std::ofstream(folder / "lines.txt") << "thing 0\n\nthing 2\n";
  const std::string out = folder / "out.safetensors";
  const Said said =
      limoe_says({"embed", run, "--images", folder / "pairs", "--texts", folder / "lines.txt", "--out", out});
  CHECK(said.errors.empty());
  REQUIRE(said.status == 0);
  const SafetensorsFile file = read_safetensors(out);
  const Tensor images = file.tensors.at("images"), texts = file.tensors.at("texts");
  CHECK(images.shape() == Shape{5, 16});
  CHECK(texts.shape() == Shape{3, 16});
  double squares = 0;
  for (int64_t i = 0; i < 16; ++i) squares += double(texts.data<float>()[i]) * double(texts.data<float>()[i]);
  CHECK(squares == doctest::Approx(1));
  CHECK(nlohmann::json::parse(file.metadata.at("image_names"))[4] == "000000004.png");
  CHECK(nlohmann::json::parse(file.metadata.at("texts")) == nlohmann::json({"thing 0", "", "thing 2"}));
}

TEST_CASE(
    "limoe train: a set that is not there is named before anything is trained or an earlier run removed") {
  const testing::ScratchFolder folder;
  write_pairs(folder / "set", 4, 4);
  const std::string earlier = save_model(folder), there = folder / "set", nothing = folder / "nothing";
  for (const auto& [train, val] :
       {std::pair{nothing, there}, {there, nothing}, {there, there + "::" + nothing}}) {
    const Said said =
        limoe_says({"train", "--overwrite", "--out", earlier, "--train-data", train, "--val-data", val});
    CHECK(said.status == 1);
    CHECK(contains(said.errors, "limoe: " + nothing + ": no such file or folder; expected a .tar"));
    CHECK(load_model(earlier).config.width == 16);
  }
}

TEST_CASE("limoe eval: prints a table and writes CLIP_benchmark's JSON") {
  const testing::ScratchFolder folder;
  const std::string run = save_model(folder), json = folder / "out.json";
  write_pairs(folder / "set/test", 9, 4);
  std::ofstream(folder / "set/classnames.txt") << "a\nb\nc\n";
  const auto metrics_of = [&](const std::string& task) {
    const Said said =
        limoe_says({"eval", run, "--task", task, "--data", folder / "set/test", "--json", json});
    CHECK(said.errors.empty());
    REQUIRE(said.status == 0);
    std::ifstream file(json);
    return nlohmann::json::parse(file)["metrics"];
  };
  CHECK(metrics_of("retrieval")["image_retrieval_recall@10"] == 1);  // 9 pairs
  const auto classified = metrics_of("zeroshot");
  CHECK(classified["acc1"].is_number());
  CHECK(classified["acc5"].is_null());
}

TEST_CASE(
    "progress: the line fits the terminal, says rate and time left, and shows a bar where there is room") {
  const std::string wide = progress_line("reading", 1000, 4000, 500, 100);
  CHECK(wide == "reading  [########......................]   25 %  1,000/4,000  500/s  6.0 s left");
  for (const int width : {10, 40, 60, 79})
    CHECK(columns_of(progress_line("reading pictures", 1490, 3655, 812, width)) <= width);
  CHECK(contains(progress_line("x", 0, 0, 0, 80), "0/0"));
  CHECK(contains(progress_line("x", 7, 7, 2, 80), "100 %"));
}

TEST_CASE("table: columns are aligned by what a terminal shows of them") {
  Table table({Align::left, Align::right});
  table.heading({"what", "n"});
  table.row({"grün", "1"});
  table.row({"猫", "1,234"});
  CHECK(table.text() == "what      n\ngrün      1\n猫    1,234\n");
  CHECK(shortened("grün und gelb", 6) == "grün …");
  CHECK(shortened("猫猫猫", 5) == "猫猫…");
  CHECK(shortened("short", 5) == "short");
  CHECK(wrapped("one two three", 2, 9) == "one two\n  three");
}
