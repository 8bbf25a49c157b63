#include "data/dataset.h"

#include <doctest/doctest.h>

#include "data/shard_list.h"
#include "data/tar.h"
#include "tensor/error.h"
#include "tests/support/shard_fixture.h"

namespace limoe {
namespace {

const std::vector<uint8_t>& small_png() {
  static const std::vector<uint8_t> png = encode_png(numbered_image(4, 4, 1));
  return png;
}

std::string message_of(const std::string& source, const DatasetOptions& options = {}) {
  try {
    const Dataset dataset(source, options);
  } catch (const FileError& error) {
    return error.what();
  }
  return "";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("braces expand to numbers with the first one's width, and to alternatives") {
  CHECK(expand_braces("a") == std::vector<std::string>{"a"});
  CHECK(expand_braces("{0..2}.tar") == std::vector<std::string>{"0.tar", "1.tar", "2.tar"});
  CHECK(expand_braces("x{08..10}") == std::vector<std::string>{"x08", "x09", "x10"});
  CHECK(expand_braces("{a,b}/{1..2}") == std::vector<std::string>{"a/1", "a/2", "b/1", "b/2"});
  CHECK_THROWS_AS(expand_braces("{0..2"), FileError);
  CHECK_THROWS_AS(expand_braces("{2..0}"), FileError);
  CHECK_THROWS_AS(expand_braces("{0..x}"), FileError);
  CHECK_THROWS_AS(expand_braces("{0..99999999999}"), FileError);
  CHECK_THROWS_AS(expand_braces("{0..9223372036854775807}"), FileError);
  std::string billions = "{0..9}";
  while (billions.size() < 6000) billions += billions;
  CHECK_THROWS_WITH_AS(expand_braces(billions), doctest::Contains("stand for more names"), FileError);
  CHECK(expand_braces("{000000..231349}.tar").size() == 231350);
  CHECK(expand_braces("a{b,c}{d}{1..2}e") == std::vector<std::string>{"abd1e", "abd2e", "acd1e", "acd2e"});
}

TEST_CASE("a folder gives its shards in the order of their numbers") {
  const testing::ScratchFolder folder;
  write_pairs(folder / "train", 11, 1);
  const std::vector<std::string> shards = find_shards(folder / "train");
  REQUIRE(shards.size() == 11);
  CHECK(shards[2] == (folder / "train/2.tar"));
  CHECK(shards[10] == (folder / "train/10.tar"));
}

TEST_CASE("one tar, a range, a folder and several sources give the same samples") {
  const testing::ScratchFolder folder;
  write_pairs(folder / "train", 7, 3);
  const std::string train = folder / "train";
  CHECK(Dataset(train, {}).size() == 7);
  CHECK(Dataset(train + "/1.tar", {}).size() == 3);
  CHECK(Dataset(train + "/{0..2}.tar", {}).size() == 7);
  const Dataset both(train + "/2.tar::" + train + "/0.tar", {});
  CHECK(both.size() == 4);
  CHECK(both.file_count() == 2);
  CHECK(both.read_text(0).caption == "thing 6");
  CHECK(both.read_text(1).caption == "thing 0");
}

TEST_CASE("a sample has its picture, caption, name, phrases and class") {
  const testing::ScratchFolder folder;
  write_pairs(folder / "train", 5, 2);
  const Dataset dataset(folder / "train", {});
  const SampleText text = dataset.read_text(4);
  CHECK(text.caption == "thing 4");
  CHECK(text.name == "thing 4");
  CHECK(text.phrases == std::vector<std::string>{"round", "red 4", "odd sort"});  // without the name itself
  CHECK(text.label == 1);
  CHECK(dataset.key(4) == "000000004");
  CHECK(dataset.decode(4, dataset.read_image(4)).pixels == numbered_image(12, 12, 4).pixels);
  CHECK(dataset.bad_samples().empty());
  CHECK_THROWS_AS(dataset.read_text(5), ValueError);
}

TEST_CASE("the caption can be a JSON field") {
  const testing::ScratchFolder folder;
  {
    TarWriter tar(folder / "a.tar");
    tar.add("x.png", small_png());
    tar.add("x.json", R"({"title": "  A title\n"})");
    tar.add("y.png", small_png());
    tar.add("y.txt", "text only");
    tar.add("z.png", small_png());
    tar.add("z.json", R"({"title": 3})");
    tar.finish();
  }
  const Dataset dataset(folder / "a.tar", {.json_text_key = "title"});
  REQUIRE(dataset.size() == 2);
  CHECK(dataset.read_text(0).caption == "A title");
  CHECK(dataset.read_text(0).name == "A title");
  CHECK_THROWS_WITH_AS(
      dataset.read_text(1),
      (folder / "a.tar: z.json: \"title\" is number; expected a string with the caption").c_str(), FileError);
  REQUIRE(dataset.bad_samples().size() == 1);
  CHECK(dataset.bad_samples()[0].member == "y");
}

TEST_CASE("samples without picture or caption are skipped and named") {
  const testing::ScratchFolder folder;
  {
    TarWriter tar(folder / "a.tar");
    tar.add("good.JPG", small_png());
    tar.add("good.txt", "kept");
    tar.add("good.url", "other endings do no harm");
    tar.add("no_picture.txt", "text");
    tar.add("no_text.png", small_png());
    tar.add("unknown.gif", small_png());
    tar.add("unknown.txt", "text");
    tar.add("two.png", small_png());
    tar.add("two.jpg", small_png());
    tar.add("two.txt", "text");
    tar.finish();
  }
  const Dataset dataset(folder / "a.tar", {});
  REQUIRE(dataset.size() == 1);
  CHECK(dataset.key(0) == "good");
  const std::vector<BadSample> bad = dataset.bad_samples();
  REQUIRE(bad.size() == 4);
  CHECK(bad[0].member == "no_picture");
  CHECK(bad[0].reason == "no picture, only txt; expected png, jpg, jpeg or webp");
  CHECK(bad[1].reason == "no caption, only png; expected txt");
  CHECK(bad[2].reason == "no picture, only gif, txt; expected png, jpg, jpeg or webp");
  CHECK(bad[3].reason == "a second picture member; expected one");
  CHECK(bad[0].shard == (folder / "a.tar"));
  CHECK(bad[0].offset > 0);
}

TEST_CASE("more bad samples than max_bad are an error with the counts") {
  const testing::ScratchFolder folder;
  {
    TarWriter tar(folder / "a.tar");
    for (const char* name : {"a.txt", "b.txt", "c.txt"}) tar.add(name, "text");
    tar.finish();
  }
  CHECK(
      contains(message_of(folder / "a.tar", {.max_bad = 2}), "3 bad samples; expected at most 2 (max-bad)"));
  CHECK(contains(message_of(folder / "a.tar"), "no usable sample in 1 shard(s)"));
  CHECK(contains(message_of(folder / "a.tar"), "Skipped: 3, the first, a: no picture, only txt"));
}

TEST_CASE("an empty caption, broken JSON and a class that is no number are found on reading") {
  const testing::ScratchFolder folder;
  {
    TarWriter tar(folder / "a.tar");
    for (const char* key : {"empty", "json", "class"}) {
      tar.add(std::string(key) + ".png", small_png());
      tar.add(std::string(key) + ".txt", std::string(key) == "empty" ? " \n" : "text");
    }
    tar.add("json.json", "[1, 2");
    tar.add("class.cls", "seven");
    tar.finish();
  }
  const Dataset dataset(folder / "a.tar", {});
  REQUIRE(dataset.size() == 3);
  CHECK_THROWS_AS(dataset.read_text(0), FileError);
  CHECK_THROWS_AS(dataset.read_text(1), FileError);
  CHECK_THROWS_WITH_AS(
      dataset.read_text(2),
      (folder / "a.tar: class.cls: the class is \"seven\"; expected a number from 0").c_str(), FileError);
}

TEST_CASE("a reported sample is entered once, and one line of JSON") {
  const testing::ScratchFolder folder;
  write_pairs(folder / "train", 2, 2);
  const Dataset dataset(folder / "train", {.max_bad = 1});
  dataset.report_bad(0, "line\n\"quoted\" \xFF");
  dataset.report_bad(0, "again");
  REQUIRE(dataset.bad_samples().size() == 1);
  const std::string line = to_json(dataset.bad_samples()[0]);
  CHECK(contains(line, "\"member\":\"000000000.png\""));
  CHECK(contains(line, "line\\n\\\"quoted\\\""));
  CHECK(!contains(line, "\n"));
  CHECK_THROWS_AS(dataset.report_bad(1, "one too many"), FileError);
}

TEST_CASE("a source that names nothing says what is there instead") {
  const testing::ScratchFolder folder;
  write_pairs(folder / "set/train", 1, 1);
  CHECK(contains(message_of(folder / "absent"), "no such file or folder; expected a .tar"));
  CHECK(contains(message_of(folder / "set"),
                 "holds no .tar file; expected a folder that does: " + (folder / "set/train")));
  CHECK(contains(message_of(folder / "set/train/{0..1}.tar"), "1.tar: no such file"));
  CHECK(contains(message_of((folder / "set/train") + "::"), "a path is empty"));
  TarWriter(folder / "empty.tar").finish();
  CHECK(contains(message_of(folder / "empty.tar"), "expected members KEY.png (jpg, jpeg, webp) and KEY.txt"));
}

}  // namespace limoe
