#include "data/loader.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

#include "data/resize.h"
#include "data/tar.h"
#include "tensor/backend.h"
#include "tensor/caching_allocator.h"
#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/loader_fixture.h"
#include "tests/support/shard_fixture.h"

namespace limoe {

TEST_CASE("a batch has pictures in -1..1, ids, validity, captions and classes that belong together") {
  const testing::ScratchFolder folder;
  LoaderOptions options = small_options();
  options.image_size = 12;  // as stored
  Loader loader = make_loader(write_standard_set(folder), options);
  const Batch batch = loader.next();
  CHECK(batch.images.shape() == Shape{4, 12, 12, 3});
  CHECK(batch.ids.shape() == Shape{4, 12});
  CHECK(batch.text_valid.shape() == Shape{4, 12});
  REQUIRE(batch.size() == 4);
  const std::vector<float> images = to_vector<float>(batch.images);
  const std::vector<int32_t> ids = to_vector<int32_t>(batch.ids),
                             valid = to_vector<int32_t>(batch.text_valid);
  for (std::size_t row = 0; row < 4; ++row) {
    const int sample = static_cast<int>(batch.sample_index[row]);
    CHECK(batch.captions[row] == "thing " + std::to_string(sample));
    CHECK(batch.labels[row] == sample % 3);
    const Image image = numbered_image(12, 12, sample);
    for (std::size_t i = 0; i < image.pixels.size(); ++i)
      REQUIRE(images[row * image.pixels.size() + i] == image.pixels[i] / 127.5f - 1.0f);
    const std::size_t length = batch.captions[row].size();
    for (std::size_t at = 0; at < 12; ++at) {
      CHECK(valid[row * 12 + at] == (at <= length ? 1 : 0));
      CHECK(ids[row * 12 + at] == (at < length ? batch.captions[row][at] + 3 : at == length ? 1 : 0));
    }
  }
}

TEST_CASE("with augment.share a part of the pairs varies, another one in every epoch") {
  const testing::ScratchFolder folder;
  const std::string source = write_standard_set(folder);
  LoaderOptions options = small_options();
  options.image_size = 12;  // as stored
  options.augment = AugmentOptions{.erase = 1, .share = 0.5};
  Loader varied = make_loader(source, options);
  options.augment.reset();
  Loader plain = make_loader(source, options);
  std::map<int64_t, int> varied_in;  // epochs, by sample
  int64_t pairs = 0;
  for (int64_t epoch = 0; epoch < 8; ++epoch)
    for (int64_t step = 0; step < plain.steps_per_epoch(); ++step) {
      const Batch a = varied.next(), b = plain.next();
      const std::vector<float> with = to_vector<float>(a.images), without = to_vector<float>(b.images);
      const std::size_t size = with.size() / a.sample_index.size();
      for (std::size_t row = 0; row < a.sample_index.size(); ++row, ++pairs)
        varied_in[a.sample_index[row]] +=
            !std::equal(with.begin() + long(row * size), with.begin() + long((row + 1) * size),
                        without.begin() + long(row * size));
    }
  int64_t sum = 0, always_or_never = 0;
  for (const auto& [sample, count] : varied_in) sum += count, always_or_never += count == 0 || count == 8;
  CHECK(sum > pairs * 0.35);
  CHECK(sum < pairs * 0.65);
  CHECK(always_or_never < 3);
}

TEST_CASE("after augment.epochs pairs are taken as they are stored") {
  const testing::ScratchFolder folder;
  const std::string source = write_standard_set(folder);
  LoaderOptions options = small_options();
  options.image_size = 12;  // as stored
  options.augment = AugmentOptions{.keep_name = 0.5, .replace_token = 0.5, .epochs = 2};
  options.augment->erase = 1;
  Loader varied = make_loader(source, options);
  options.augment.reset();
  Loader plain = make_loader(source, options);
  for (int64_t epoch = 0; epoch < 4; ++epoch)
    for (int64_t step = 0; step < plain.steps_per_epoch(); ++step) {
      const Batch a = varied.next(), b = plain.next();
      CHECK((a.captions == b.captions) == (epoch >= 2));
      CHECK((to_vector<int32_t>(a.ids) == to_vector<int32_t>(b.ids)) == (epoch >= 2));
      CHECK((to_vector<float>(a.images) == to_vector<float>(b.images)) == (epoch >= 2));
    }
}

TEST_CASE(
    "with augment.patch_dropout each picture has its own patches, others in each epoch, all at the end") {
  const testing::ScratchFolder folder;
  LoaderOptions options = small_options();
  options.patches = 16;
  options.augment = AugmentOptions{.patch_dropout = 0.5, .share = 0.5, .epochs = 2};
  Loader loader = make_loader(write_standard_set(folder), options);
  std::map<int64_t, std::set<std::vector<int32_t>>> patches_of;  // by sample
  for (int64_t epoch = 0; epoch < 3; ++epoch)
    for (int64_t step = 0; step < loader.steps_per_epoch(); ++step) {
      const Batch batch = loader.next();
      CHECK(batch.patches.defined() == (epoch < 2));
      if (epoch == 2) continue;
      REQUIRE(batch.patches.shape() == Shape{4, 8});
      const std::vector<int32_t> all = to_vector<int32_t>(batch.patches);
      for (std::size_t row = 0; row < 4; ++row)
        patches_of[batch.sample_index[row]].emplace(all.begin() + long(row * 8),
                                                    all.begin() + long(row * 8 + 8));
    }
  std::set<std::vector<int32_t>> different;
  for (const auto& [sample, patches] : patches_of) different.insert(patches.begin(), patches.end());
  CHECK(different.size() == 40);  // two epochs of 20 pairs; of 12,870 choices
  options.patches = 0;
  CHECK_THROWS_WITH_AS(make_loader(folder / "train", options), "loader: patches is 0; expected 1 or more",
                       ValueError);
}

TEST_CASE("pictures of another size are resized, and wide ones cut at the centre") {
  const testing::ScratchFolder folder;
  const Image wide = numbered_image(20, 10, 1);
  {
    TarWriter tar(folder / "a.tar");
    tar.add("x.png", encode_png(wide));
    tar.add("x.txt", "wide");
    tar.finish();
  }
  LoaderOptions options = small_options();
  options.batch_size = 1;
  options.image_size = 5;
  const std::vector<float> got = to_vector<float>(make_loader(folder / "a.tar", options).next().images);
  const Image small = resize_bicubic(wide, 10, 5);
  for (std::size_t y = 0; y < 5; ++y)
    for (std::size_t i = 0; i < 15; ++i)
      CHECK(got[y * 15 + i] == small.pixels[(y * 10 + 2) * 3 + i] / 127.5f - 1.0f);
}

TEST_CASE("0, 1 and 4 workers deliver the same bits, with and without augmentation and cache") {
  const testing::ScratchFolder folder;
  const std::string source = write_standard_set(folder);
  for (const bool augmented : {false, true}) {
    LoaderOptions options = small_options();
    if (augmented) options.augment = AugmentOptions{.flip = true, .patch_dropout = 0.4};
    options.patches = 9;
    options.workers = 0;
    Loader reference = make_loader(source, options);
    options.workers = 1;
    Loader one = make_loader(source, options);
    options.workers = 4;
    options.prefetch = 7;
    options.cache_bytes = 3000;  // room for some samples only
    Loader four = make_loader(source, options);
    for (int step = 0; step < 12; ++step) {  // more than two epochs
      const Batch batch = reference.next();
      check_same(one.next(), batch);
      check_same(four.next(), batch);
    }
  }
}

TEST_CASE("augmentation differs between epochs and between seeds") {
  const testing::ScratchFolder folder;
  const std::string source = write_standard_set(folder);
  LoaderOptions options = small_options();
  options.augment.emplace();
  options.shuffle = false;
  Loader loader = make_loader(source, options);
  const Batch first = loader.next();
  loader.restore({1, 0});
  const Batch next_epoch = loader.next();
  CHECK(first.sample_index == next_epoch.sample_index);
  CHECK(to_vector<float>(first.images) != to_vector<float>(next_epoch.images));
  CHECK(first.captions != next_epoch.captions);
  options.seed = 4;
  CHECK(to_vector<float>(make_loader(source, options).next().images) != to_vector<float>(first.images));
}

TEST_CASE("captions that do not vary stay as stored under augmentation") {
  const testing::ScratchFolder folder;
  LoaderOptions options = small_options();
  options.augment = AugmentOptions{.vary_caption = false};
  Loader loader = make_loader(write_standard_set(folder), options);
  const Batch batch = loader.next();
  for (std::size_t row = 0; row < 4; ++row)
    CHECK(batch.captions[row] == "thing " + std::to_string(batch.sample_index[row]));
}

TEST_CASE("an epoch in evaluation covers every sample once, its last batch being smaller") {
  const testing::ScratchFolder folder;
  const std::string source = write_standard_set(folder);
  for (const bool shuffle : {false, true}) {
    LoaderOptions options = small_options();
    options.shuffle = shuffle;
    options.drop_last = false;
    options.epochs = 1;
    Loader loader = make_loader(source, options);
    CHECK(loader.steps_per_epoch() == 6);
    std::vector<int64_t> seen;
    Batch batch;
    while (!loader.done()) {
      batch = loader.next();
      seen.insert(seen.end(), batch.sample_index.begin(), batch.sample_index.end());
    }
    CHECK(batch.images.shape() == Shape{3, 8, 8, 3});
    CHECK(std::is_sorted(seen.begin(), seen.end()) == !shuffle);
    std::sort(seen.begin(), seen.end());
    REQUIRE(seen.size() == kCount);
    for (int64_t i = 0; i < kCount; ++i) CHECK(seen[static_cast<std::size_t>(i)] == i);
    CHECK_THROWS_AS(loader.next(), ValueError);
  }
}

TEST_CASE("an epoch in training has full batches only, no sample twice, and another order each time") {
  const testing::ScratchFolder folder;
  Loader loader = make_loader(write_standard_set(folder), small_options());
  CHECK(loader.steps_per_epoch() == 5);
  std::vector<std::vector<int64_t>> epochs(2);
  for (auto& order : epochs) {
    for (int step = 0; step < 5; ++step) {
      const Batch batch = loader.next();
      CHECK(batch.size() == 4);
      order.insert(order.end(), batch.sample_index.begin(), batch.sample_index.end());
    }
    CHECK(std::set<int64_t>(order.begin(), order.end()).size() == 20);
  }
  CHECK(epochs[0] != epochs[1]);
}

TEST_CASE("restored at any step, the loader goes on as if it had never stopped") {
  const testing::ScratchFolder folder;
  const std::string source = write_standard_set(folder);
  LoaderOptions options = small_options();
  options.augment.emplace();
  Loader straight = make_loader(source, options);
  std::vector<Batch> batches;
  for (int step = 0; step < 11; ++step) batches.push_back(straight.next());
  CHECK(straight.position() == LoaderPosition{2, 1});
  Loader resumed = make_loader(source, options);
  for (std::size_t at : {7u, 0u, 5u, 9u}) {
    resumed.restore(batches[at].position);
    CHECK(resumed.position() == batches[at].position);
    check_same(resumed.next(), batches[at]);
    check_same(resumed.next(), batches[at + 1]);
  }
  CHECK_THROWS_AS(resumed.restore({0, 5}), ValueError);
  CHECK_THROWS_AS(resumed.restore({-1, 0}), ValueError);
}

TEST_CASE("a set that fits the cache is decoded in the first epoch only") {
  const testing::ScratchFolder folder;
  LoaderOptions options = small_options();
  options.workers = 0;
  options.drop_last = false;
  Loader loader = make_loader(write_standard_set(folder), options);
  for (int step = 0; step < 6; ++step) loader.next();
  const StageTimes first = loader.times();
  CHECK(first.samples == kCount);
  CHECK(first.decode > 0);
  for (int step = 0; step < 6; ++step) loader.next();
  CHECK(loader.times().decode == first.decode);
  CHECK(loader.times().read == first.read);
  CHECK(loader.times().samples == 2 * kCount);
  CHECK(loader.wait_seconds() > 0);
}

TEST_CASE("once made, a loader asks the system for no memory for its tensors") {
  const testing::ScratchFolder folder;
  LoaderOptions options = small_options();
  options.augment.emplace();
  options.workers = 2;
  options.prefetch = 3;
  Loader loader = make_loader(write_standard_set(folder), options);
  const int64_t before = allocator_of(Device{}).counts().backend_allocations;
  Batch batch;
  for (int step = 0; step < 20; ++step) batch = loader.next();
  CHECK(allocator_of(Device{}).counts().backend_allocations == before);
}

}  // namespace limoe
