// Shards, tables and pictures made by other programs (tests/golden/make_data_files.py), read as they meant
// them.
#include <doctest/doctest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "data/dataset.h"
#include "data/shard_list.h"
#include "data/sources/picture_file.h"
#include "tensor/error.h"
#include "tests/support/built_in_formats.h"
#include "tests/support/paths.h"

using namespace limoe;

namespace {

const std::string kFolder = testing::golden_path("data/");

const nlohmann::json& expected() {
  static const nlohmann::json json = [] {
    std::ifstream file(kFolder + "expected.json");
    return nlohmann::json::parse(file);
  }();
  return json;
}

std::string hex_of(const std::vector<uint8_t>& bytes) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string text;
  for (const uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

// Of bytes written in hex; 256 where their number differs.
int largest_difference(const std::string& a, const std::string& b) {
  if (a.size() != b.size()) return 256;
  int largest = 0;
  for (size_t at = 0; at < a.size(); at += 2)
    largest = std::max(
        largest, std::abs(std::stoi(a.substr(at, 2), nullptr, 16) - std::stoi(b.substr(at, 2), nullptr, 16)));
  return largest;
}

// Which of the script's pictures 0..5 a sample shows, -1: none.
int picture_number(const Dataset& dataset, int64_t sample) {
  const std::string pixels = hex_of(dataset.decode(sample, dataset.read_image(sample)).pixels);
  const auto& all = expected()["samples"];
  for (size_t i = 0; i < all.size(); ++i)
    if (all[i] == pixels) return int(i);
  return -1;
}

// Captions by picture.
std::map<int, std::string> pairs_of(const Dataset& dataset) {
  std::map<int, std::string> pairs;
  for (int64_t i = 0; i < dataset.size(); ++i)
    pairs[picture_number(dataset, i)] = dataset.read_text(i).caption;
  return pairs;
}

std::map<int, std::string> four_pairs() {
  std::map<int, std::string> pairs;
  for (int i = 0; i < 4; ++i) pairs[i] = expected()["captions"][size_t(i)].get<std::string>();
  return pairs;
}

}  // namespace

TEST_CASE("shards by Python's tarfile are read, names above 100 bytes included") {
  for (const char* kind : {"ustar", "gnu", "pax"}) {
    CAPTURE(kind);
    const Dataset dataset(kFolder + "python_" + kind + ".tar", {});
    CHECK(pairs_of(dataset) == four_pairs());
    CHECK(dataset.key(3).size() >= 100);  // without its ending
    CHECK(dataset.key(3).ends_with("/größe_3"));
  }
}

TEST_CASE("shards by GNU tar are read, folders in them and names above 100 bytes included") {
  for (const char* kind : {"ustar", "pax", "gnu"}) {
    CAPTURE(kind);
    const Dataset dataset(kFolder + "tar_" + kind + ".tar", {});
    std::map<int, std::string> pairs = four_pairs();
    if (std::string(kind) != "ustar") pairs[4] = "far down";
    CHECK(pairs_of(dataset) == pairs);
  }
}

TEST_CASE("pictures by Pillow and ImageMagick have the pixels that Pillow reads") {
  for (const auto& [name, wanted] : expected()["pictures"].items()) {
    if (!testing::can_decode(name)) continue;
    CAPTURE(name);
    const Image image = decode_image(read_picture_file(kFolder + "pictures/" + name, "test"), name);
    CHECK(image.width == wanted["width"].get<int>());
    CHECK(image.height == wanted["height"].get<int>());
    const std::string pixels = wanted["pixels"].get<std::string>();
    CHECK(largest_difference(hex_of(image.pixels), pixels) <= wanted["tolerance"].get<int>());
  }
}

TEST_CASE("the comparison of pixels sees one that differs") {
  CHECK(largest_difference("00ff10", "00fd10") == 2);
  CHECK(largest_difference("00ff10", "00ff") == 256);
}

TEST_CASE("tables by Python's csv module are read: quotes, line ends in a field, a byte order mark, CRLF") {
  const std::pair<const char*, const char*> kTables[] = {
      {"plain.tsv", "tab"}, {"comma.csv", ","}, {"marked.csv", ";"}};
  for (const auto& [name, separator] : kTables) {
    CAPTURE(name);
    const Dataset dataset(kFolder + "tables/" + name, {.csv_separator = separator});
    CHECK(pairs_of(dataset) == four_pairs());
    CHECK(dataset.bad_samples().empty());
  }
}

TEST_CASE("sources of different kinds are joined, and each keeps its order") {
  const Dataset dataset(kFolder + "tables/plain.tsv::" + kFolder + "classes::" + kFolder + "python_pax.tar",
                        {});
  CHECK(dataset.size() == 12);
  CHECK(dataset.source_sizes() == std::vector<int64_t>{4, 4, 4});
  CHECK(dataset.extent() == "3 class folders, 1 shard, 1 table");
  CHECK(dataset.read_text(4).caption == "big cat");
  CHECK(dataset.read_text(11).caption == "two\nlines");
  CHECK(dataset.key(0) == "line 2");
}

TEST_CASE("CLIP_benchmark's WebP shards are read with their classes' names as captions") {
  const std::string source = evaluation_source(kFolder + "zeroshot");
  CHECK(source == kFolder + "zeroshot/test");
  const Dataset dataset(source, {});
  REQUIRE(dataset.size() == 4);
  CHECK(dataset.read_text(1).caption == "dog");
  CHECK(dataset.read_text(3).label == 0);
  if (webp_is_built_in()) CHECK(picture_number(dataset, 3) == 3);
  CHECK(!dataset.has_many_captions());
}

TEST_CASE("CLIP_benchmark's retrieval sets have a caption a line") {
  const Dataset dataset(evaluation_source(kFolder + "retrieval"), {});
  REQUIRE(dataset.size() == 4);
  CHECK(dataset.has_many_captions());
  CHECK(dataset.read_text(2).caption == "first of 2");
  CHECK(dataset.read_text(2).other_captions == std::vector<std::string>{"second of 2"});
}

TEST_CASE("a source that holds shards itself is evaluated as it is") {
  CHECK(evaluation_source(kFolder + "zeroshot/test") == kFolder + "zeroshot/test");
  CHECK(evaluation_source(kFolder + "absent") == kFolder + "absent");
}
