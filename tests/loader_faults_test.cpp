#include <doctest/doctest.h>

#include <set>

#include "data/loader.h"
#include "data/tar.h"
#include "tensor/error.h"
#include "tests/support/loader_fixture.h"
#include "tests/support/shard_fixture.h"

namespace limoe {
namespace {

// Pairs 0..count-1, some with a picture that cannot be decoded.
void write_with_broken(const std::string& path, int count, const std::set<int>& broken) {
  TarWriter tar(path);
  for (int i = 0; i < count; ++i) {
    std::vector<uint8_t> png = encode_png(numbered_image(8, 8, i));
    if (broken.contains(i)) png.resize(png.size() / 2);
    tar.add(shard_key(i) + ".png", png);
    tar.add(shard_key(i) + ".txt", "thing " + std::to_string(i));
  }
  tar.finish();
}

}  // namespace

TEST_CASE("in training a sample that cannot be read gives its place to another, the same each time") {
  const testing::ScratchFolder folder;
  write_with_broken(folder / "a.tar", 12, {2, 7, 8});
  LoaderOptions options = small_options();
  const auto dataset = std::make_shared<const Dataset>(folder / "a.tar", DatasetOptions{});
  Loader loader(dataset, make_byte_tokenizer(), options);
  options.workers = 4;
  options.cache_bytes = 0;
  Loader other = make_loader(folder / "a.tar", options);
  for (int step = 0; step < 6; ++step) {
    const Batch batch = loader.next();
    CHECK(batch.size() == 4);
    CHECK(std::set<int64_t>(batch.sample_index.begin(), batch.sample_index.end()).size() == 4);
    for (int64_t sample : batch.sample_index) CHECK(!std::set<int64_t>{2, 7, 8}.contains(sample));
    check_same(other.next(), batch);
  }
  std::set<std::string> named;
  for (const BadSample& bad : dataset->bad_samples()) named.insert(bad.member);
  CHECK(named == std::set<std::string>{"000000002.png", "000000007.png", "000000008.png"});
}

TEST_CASE("in evaluation a sample that cannot be read is left out and named") {
  const testing::ScratchFolder folder;
  write_with_broken(folder / "a.tar", 6, {1, 4, 5});
  LoaderOptions options = small_options();
  options.shuffle = false;
  options.drop_last = false;
  options.epochs = 1;
  const auto dataset = std::make_shared<const Dataset>(folder / "a.tar", DatasetOptions{});
  Loader loader(dataset, make_byte_tokenizer(), options);
  CHECK(loader.next().sample_index == std::vector<int64_t>{0, 2, 3});
  const Batch last = loader.next();
  CHECK(last.size() == 0);
  CHECK(last.images.shape() == Shape{0, 8, 8, 3});
  CHECK(loader.done());
  CHECK(dataset->bad_samples().size() == 3);
}

TEST_CASE("a picture far too long for its height is a bad sample, not a huge allocation") {
  const testing::ScratchFolder folder;
  {
    TarWriter tar(folder / "a.tar");
    tar.add("long.png", encode_png(numbered_image(5000, 1, 1)));
    tar.add("long.txt", "a line");
    tar.add("good.png", encode_png(numbered_image(50, 1, 1)));
    tar.add("good.txt", "a shorter line");
    tar.finish();
  }
  LoaderOptions options = small_options();
  options.drop_last = false;
  const auto dataset = std::make_shared<const Dataset>(folder / "a.tar", DatasetOptions{});
  CHECK(Loader(dataset, make_byte_tokenizer(), options).next().captions ==
        std::vector<std::string>{"a shorter line"});
  REQUIRE(dataset->bad_samples().size() == 1);
  CHECK(dataset->bad_samples()[0].reason ==
        (folder / "a.tar: long.png: is 5000 x 1; expected sides of at most 50 to 1"));
}

TEST_CASE("too many bad samples, or none that is good, reach the caller, at every further call too") {
  const testing::ScratchFolder folder;
  write_with_broken(folder / "some.tar", 8, {0, 1, 2, 3});
  write_with_broken(folder / "all.tar", 4, {0, 1, 2, 3});
  for (const int workers : {0, 2}) {
    LoaderOptions options = small_options();
    options.workers = workers;
    Loader few(std::make_shared<const Dataset>(folder / "some.tar", DatasetOptions{.max_bad = 1}),
               make_byte_tokenizer(), options);
    const auto drain = [&] {
      for (int step = 0; step < 4; ++step) few.next();
    };
    CHECK_THROWS_AS(drain(), FileError);
    CHECK_THROWS_AS(few.next(), FileError);
    Loader none = make_loader(folder / "all.tar", options);
    CHECK_THROWS_AS(none.next(), FileError);
  }
}

TEST_CASE("options that make no batch are refused by name") {
  const testing::ScratchFolder folder;
  const std::string source = write_standard_set(folder);
  LoaderOptions options = small_options();
  options.batch_size = 24;
  CHECK_THROWS_WITH_AS(make_loader(source, options),
                       "loader: batch_size is 24; expected at most 23, the number of samples in an epoch", ValueError);
  options = small_options();
  options.workers = -1;
  CHECK_THROWS_WITH_AS(make_loader(source, options), "loader: workers is -1; expected 0 or more", ValueError);
  options = small_options();
  options.prefetch = 0;
  CHECK_THROWS_AS(make_loader(source, options), ValueError);
  options = small_options();
  options.augment = AugmentOptions{.max_aspect = 9};
  CHECK_THROWS_AS(make_loader(source, options), ValueError);
}

TEST_CASE("a loader can be dropped while its workers are busy") {
  const testing::ScratchFolder folder;
  LoaderOptions options = small_options();
  options.workers = 4;
  options.prefetch = 16;
  const std::string source = write_standard_set(folder);
  for (int i = 0; i < 20; ++i) {
    Loader loader = make_loader(source, options);
    if (i % 2) loader.next();
  }
}

}  // namespace limoe
