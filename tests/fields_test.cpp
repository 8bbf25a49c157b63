#include "models/train/fields.h"

#include <doctest/doctest.h>

#include <fstream>
#include <set>

#include "models/limoe/config.h"
#include "models/train/config.h"
#include "tensor/error.h"
#include "tests/support/scratch_folder.h"

using namespace limoe;
using limoe::testing::ScratchFolder;

namespace {

std::string write_config(const ScratchFolder& folder, const std::string& text) {
  const std::string path = folder / "config.toml";
  std::ofstream(path) << text;
  return path;
}

}  // namespace

TEST_CASE("fields: a value is taken whole or refused, naming where it came from") {
  int64_t whole = 5;
  uint64_t natural = 5;
  double number = 5;
  bool flag = false;
  assign_text(whole, "-12", "--a");
  assign_text(natural, "18446744073709551615", "--a");
  assign_text(number, "1e-3", "--a");
  assign_text(flag, "true", "--a");
  CHECK(whole == -12);
  CHECK(natural == 18446744073709551615u);
  CHECK(number == 1e-3);
  CHECK(flag);
  for (const char* wrong : {"", " 1", "1 ", "12x", "1.5", "9223372036854775808", "0x10", "nan"})
    CHECK_THROWS_AS(assign_text(whole, wrong, "--a"), ValueError);
  CHECK_THROWS_AS(assign_text(natural, "-1", "--a"), ValueError);
  for (const char* wrong : {"", "1e999", "nan", "inf", "-inf", "1,5", "one"})
    CHECK_THROWS_AS(assign_text(number, wrong, "--a"), ValueError);
  for (const char* wrong : {"", "yes", "1", "True"})
    CHECK_THROWS_AS(assign_text(flag, wrong, "--a"), ValueError);
  CHECK_THROWS_WITH_AS(assign_text(whole, "12x", "--width"), "--width: is \"12x\"; expected a whole number",
                       ValueError);
  CHECK(whole == -12);  // a refused value changes nothing
}

TEST_CASE("fields: a double's text is the shortest that reads back as the same double") {
  CHECK(text_of(0.1) == "0.1");
  CHECK(text_of(1e-3) == "0.001");
  for (const double value : {1.0 / 3, 1e300, 5e-324, -0.1, 123456789.123}) {
    double back = 0;
    assign_text(back, text_of(value), "");
    CHECK(back == value);
  }
}

TEST_CASE("fields: a config written as TOML reads back equal, whatever its values") {
  const ScratchFolder folder;
  LimoeConfig model;
  TrainConfig train;
  model.moe_layers = "last 2";
  model.dense = true;
  model.capacity_factor = 1.0 / 3;
  train.train_data = "data/{0..9}.tar::more \"data\"::c:\\data # 2";
  train.seed = 18446744073709551615u;
  train.lr = 1e-3;
  KeyedValues values =
      read_config_file(write_config(folder, to_toml(model, "The model") + "\n" + to_toml(train, "Training")));
  LimoeConfig model_back;
  TrainConfig train_back;
  take_fields(model_back, values);
  take_fields(train_back, values);
  CHECK(values.empty());
  CHECK(to_toml(model_back, "") == to_toml(model, ""));
  CHECK(to_toml(train_back, "") == to_toml(train, ""));
  CHECK(train_back.seed == train.seed);
  CHECK(train_back.train_data == train.train_data);
}

TEST_CASE("fields: sections of a config file are headings, and a key given twice is refused") {
  const ScratchFolder folder;
  const KeyedValues values =
      read_config_file(write_config(folder, "# a comment\n[model]\nwidth = 64\n\n[training]\nlr = 0.5\n"));
  CHECK(values.size() == 2);
  CHECK(values.at("width").text == "64");
  CHECK(values.at("lr").text == "0.5");
  CHECK_THROWS_AS(read_config_file(write_config(folder, "width = 1\n[more]\nwidth = 2\n")), FileError);
  CHECK_THROWS_AS(read_config_file(folder / "absent.toml"), FileError);
}

TEST_CASE("fields: an unknown key is refused with the nearest known one") {
  const KeyedValues left{{"widht", {"3", "a.toml: widht"}}};
  CHECK_THROWS_WITH_AS(refuse_unknown(left, field_names<LimoeConfig>()),
                       "a.toml: widht is unknown; the nearest known key is width", UsageError);
  CHECK_NOTHROW(refuse_unknown({}, {}));
}

TEST_CASE("fields: keys of model and trainer are distinct, and none is empty") {
  std::set<std::string> seen;
  for (const auto& names : {field_names<LimoeConfig>(), field_names<TrainConfig>()})
    for (const std::string& name : names) {
      CAPTURE(name);
      CHECK(!name.empty());
      CHECK(seen.insert(name).second);
    }
}
