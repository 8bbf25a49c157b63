#include "data/augment.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "data/permutation.h"
#include "tensor/error.h"
#include "tests/support/shard_fixture.h"

namespace limoe {
namespace {

std::vector<float> resampled(const Image& image, const Box& box, int size) {
  std::vector<float> out(static_cast<std::size_t>(size * size * 3));
  resample(image, box, size, out.data());
  return out;
}

Image plain_image(int width, int height, uint8_t red, uint8_t green, uint8_t blue) {
  Image image{width, height, {}};
  for (int i = 0; i < width * height; ++i) image.pixels.insert(image.pixels.end(), {red, green, blue});
  return image;
}

float greatest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  float greatest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) greatest = std::max(greatest, std::abs(a[i] - b[i]));
  return greatest;
}

// Weights are rounded to f32 and sum to 1 within a few units in the last place; values go up to 255.
constexpr float kResampleTolerance = 255 * 8 * 0x1p-23f;

const SampleText kHeart = {"red heart", "red heart", {"love", "emotion", "card"}, -1};

}  // namespace

TEST_CASE("the whole picture at its own size is the picture") {
  const Image image = numbered_image(9, 9, 3);
  const std::vector<float> expected(image.pixels.begin(), image.pixels.end());
  CHECK(resampled(image, {0, 0, 9, 9, false}, 9) == expected);
}

TEST_CASE("a flipped box is the mirrored picture") {
  const Image image = numbered_image(8, 8, 5);
  const std::vector<float> straight = resampled(image, {0.5, 0.25, 7, 6, false}, 4);
  const std::vector<float> mirrored = resampled(image, {0.5, 0.25, 7, 6, true}, 4);
  for (int y = 0; y < 4; ++y)
    for (int x = 0; x < 4; ++x)
      for (int c = 0; c < 3; ++c)
        CHECK(straight[static_cast<std::size_t>((y * 4 + x) * 3 + c)] ==
              mirrored[static_cast<std::size_t>((y * 4 + 3 - x) * 3 + c)]);
}

TEST_CASE("shrinking averages all pixels: stripes of one pixel become grey") {
  Image stripes{32, 32, {}};
  for (int i = 0; i < 32 * 32; ++i)
    for (int c = 0; c < 3; ++c) stripes.pixels.push_back(i % 2 ? 255 : 0);
  const std::vector<float> small = resampled(stripes, {0, 0, 32, 32, false}, 8);
  for (std::size_t x = 1; x < 7; ++x) CHECK(std::abs(small[(3 * 8 + x) * 3] - 127.5f) < 1.0f);
}

TEST_CASE("a plain picture stays plain in any box, also beyond its border") {
  const Image image = plain_image(10, 6, 200, 100, 50);
  for (const Box& box :
       {Box{1.3, 0.7, 4.2, 5.1, false}, Box{-3, -2, 16, 11, true}, Box{40, 40, 3, 3, false}}) {
    const std::vector<float> out = resampled(image, box, 5);
    for (std::size_t i = 0; i < out.size(); i += 3) {
      CHECK(std::abs(out[i] - 200) <= kResampleTolerance);
      CHECK(std::abs(out[i + 1] - 100) <= kResampleTolerance);
      CHECK(std::abs(out[i + 2] - 50) <= kResampleTolerance);
    }
  }
}

TEST_CASE("a box is drawn within its options and within the picture") {
  const AugmentOptions options{.min_scale = 0.3, .max_scale = 1.0, .max_aspect = 1.3, .flip = true};
  const Image image = plain_image(40, 30, 0, 0, 0);
  int flipped = 0;
  for (int64_t sample = 0; sample < 500; ++sample) {
    SampleRandom random(7, DataStream::kImage, 0, sample);
    const Box box = random_box(image, options, /*may_flip=*/true, random);
    const double scale = box.width * box.height / (30.0 * 30.0), aspect = box.width / box.height;
    CHECK((scale >= 0.3 - 1e-9 && scale <= 1.0 + 1e-9));
    CHECK((aspect >= 1 / 1.3 - 1e-9 && aspect <= 1.3 + 1e-9));
    CHECK((box.x >= std::min(0.0, 40 - box.width) - 1e-9 &&
           box.x + box.width <= std::max(40.0, box.width) + 1e-9));
    CHECK((box.y >= std::min(0.0, 30 - box.height) - 1e-9));
    flipped += box.flip;
  }
  CHECK(flipped > 200);
  CHECK(flipped < 300);
}

TEST_CASE("draws depend on seed, epoch and sample, and on nothing else") {
  const auto first_draw = [](uint64_t seed, int64_t epoch, int64_t sample) {
    return SampleRandom(seed, DataStream::kImage, epoch, sample).uniform(0, 1);
  };
  CHECK(first_draw(1, 2, 3) == first_draw(1, 2, 3));
  const std::set<double> draws = {first_draw(1, 2, 3), first_draw(2, 2, 3), first_draw(1, 3, 3),
                                  first_draw(1, 2, 4),
                                  SampleRandom(1, DataStream::kCaption, 2, 3).uniform(0, 1)};
  CHECK(draws.size() == 5);
}

TEST_CASE("colour jitter of nothing changes nothing, and brightness alone is one factor") {
  const Image image = numbered_image(6, 6, 9);
  const std::vector<float> before(image.pixels.begin(), image.pixels.end());
  std::vector<float> after = before;
  SampleRandom random(1, DataStream::kImage, 0, 0);
  jitter_colours(after.data(), 6, {.brightness = 0, .contrast = 0, .saturation = 0}, random);
  CHECK(!(greatest_difference(after, before) > kResampleTolerance));

  std::vector<float> darker(6 * 6 * 3, 100.0f);
  jitter_colours(darker.data(), 6, {.brightness = 0.5, .contrast = 0, .saturation = 0}, random);
  CHECK(std::abs(darker[0] - 100) <= 50);
  CHECK(darker[0] != 100);
  CHECK(std::abs(darker[0] - darker.back()) <= kResampleTolerance);
}

TEST_CASE("jittered pixels stay within 0..255, and a grey picture stays grey") {
  const AugmentOptions wild{.brightness = 1, .contrast = 1, .saturation = 1};
  for (int64_t sample = 0; sample < 50; ++sample) {
    SampleRandom random(3, DataStream::kImage, 0, sample);
    const Image image = numbered_image(5, 5, static_cast<int>(sample));
    std::vector<float> pixels(image.pixels.begin(), image.pixels.end());
    jitter_colours(pixels.data(), 5, wild, random);
    for (float value : pixels) CHECK((value >= 0 && value <= 255));
    std::vector<float> grey = {90, 90, 90, 10, 10, 10, 250, 250, 250, 0, 0, 0};
    jitter_colours(grey.data(), 2, wild, random);
    for (std::size_t i = 0; i < grey.size(); i += 3) CHECK(std::abs(grey[i] - grey[i + 2]) <= 1e-3f);
  }
}

TEST_CASE("a random caption keeps the name first and draws from the phrases, none twice") {
  std::set<std::string> seen;
  for (int64_t sample = 0; sample < 400; ++sample) {
    SampleRandom random(5, DataStream::kCaption, 0, sample);
    const std::string caption = random_caption(kHeart, {.keep_phrase = 0.5}, random);
    CHECK(caption.rfind("red heart", 0) == 0);
    seen.insert(caption);
  }
  CHECK(seen.size() == 16);  // 1 + 3 + 6 + 6 ordered choices of three phrases
  SampleRandom random(5, DataStream::kCaption, 0, 0);
  CHECK(random_caption(kHeart, {.keep_phrase = 0}, random) == "red heart");
  CHECK(random_caption(kHeart, {.keep_phrase = 1}, random).size() ==
        std::string("red heart, love, emotion, card").size());
}

TEST_CASE("a random caption leaves the name out as often as asked, but never everything") {
  int named = 0;
  for (int64_t sample = 0; sample < 400; ++sample) {
    SampleRandom random(5, DataStream::kCaption, 0, sample);
    const std::string caption = random_caption(kHeart, {.keep_phrase = 1, .keep_name = 0.5}, random);
    named += caption.rfind("red heart", 0) == 0;
    CHECK(caption.rfind(", ", 0) == std::string::npos);
    SampleRandom again(5, DataStream::kCaption, 0, sample);
    CHECK(random_caption(kHeart, {.keep_phrase = 0, .keep_name = 0}, again) == "red heart");
  }
  CHECK(named > 150);
  CHECK(named < 250);
}

TEST_CASE("an erased rectangle has one colour and between 5 and 30 % of the picture") {
  constexpr int kSize = 32;
  for (int64_t sample = 0; sample < 50; ++sample) {
    std::vector<float> pixels(kSize * kSize * 3, -1.0f);  // no colour: whatever is not -1 was painted
    SampleRandom random(5, DataStream::kImage, 0, sample);
    erase_rectangle(pixels.data(), kSize, {.erase = 1}, random);
    std::set<float> reds;
    int painted = 0;
    for (std::size_t i = 0; i < pixels.size(); i += 3)
      if (pixels[i] != -1.0f) reds.insert(pixels[i]), ++painted;
    CHECK(reds.size() == 1);
    CHECK(painted >= kSize * kSize / 25);
    CHECK(painted <= kSize * kSize * 3 / 10);
    erase_rectangle(pixels.data(), kSize, {.erase = 0}, random);
  }
}

TEST_CASE("tokens are replaced as often as asked, by real pieces, and only the first ones") {
  std::vector<int32_t> ids(1000, 7);
  SampleRandom random(5, DataStream::kTokens, 0, 0);
  replace_tokens(ids.data(), 900, 0.5, 3, 50, random);
  int replaced = 0;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    CHECK(ids[i] >= 3);
    CHECK(ids[i] < 50);
    replaced += ids[i] != 7;
    if (i >= 900) CHECK(ids[i] == 7);
  }
  CHECK(replaced > 390);
  CHECK(replaced < 500);
}

TEST_CASE("of a picture's patches as many stay as asked for, none twice, each as often as any other") {
  CHECK(kept_patch_count(16, 0.25) == 12);
  CHECK(kept_patch_count(16, 0.3) == 11);  // 11.2
  CHECK(kept_patch_count(3, 0.99) == 1);
  CHECK(kept_patch_count(9, 0) == 9);
  std::vector<int> times(16);
  for (int64_t sample = 0; sample < 4000; ++sample) {
    std::vector<int32_t> kept(12, -1);
    draw_patches(16, kept, {5, DataStream::kPatches, 0, sample});
    CHECK(std::adjacent_find(kept.begin(), kept.end(), std::greater_equal<>()) == kept.end());  // ascending
    for (const int32_t place : kept) ++times.at(std::size_t(place));
  }
  // 3,000 each, with a standard deviation of 27.
  for (const int count : times) CHECK(std::abs(count - 3000) < 140);
}

TEST_CASE("captions that speak of left or right are told from those that do not") {
  CHECK(speaks_of_sides("Right arrow"));
  CHECK(speaks_of_sides("hand pointing leftwards"));
  CHECK(speaks_of_sides("bright light on the right"));
  CHECK(!speaks_of_sides("bright red heart"));
  CHECK(!speaks_of_sides("cleft"));
}

TEST_CASE("options out of range are refused by name") {
  CHECK_THROWS_WITH_AS(check(AugmentOptions{.min_scale = 0}), "augment: min_scale is 0; expected 0.01..4",
                       ValueError);
  CHECK_THROWS_AS(check(AugmentOptions{.min_scale = 1, .max_scale = 0.9}), ValueError);
  CHECK_THROWS_AS(check(AugmentOptions{.max_aspect = 0.5}), ValueError);
  CHECK_THROWS_AS(check(AugmentOptions{.keep_phrase = std::nan("")}), ValueError);
  CHECK_THROWS_WITH_AS(check(AugmentOptions{.patch_dropout = 1}),
                       "augment: patch_dropout is 1; expected 0..0.99", ValueError);
}

TEST_CASE("a shuffle visits every position once, and each epoch in another order") {
  for (int64_t count : {1, 2, 3, 5, 16, 17, 1000, 4097}) {
    std::vector<int64_t> order;
    for (int64_t position = 0; position < count; ++position)
      order.push_back(shuffled(position, count, 11, 7));
    std::vector<int64_t> sorted = order;
    std::sort(sorted.begin(), sorted.end());
    for (int64_t i = 0; i < count; ++i) REQUIRE(sorted[static_cast<std::size_t>(i)] == i);
  }
  int same = 0, in_place = 0;
  for (int64_t position = 0; position < 1000; ++position) {
    same += shuffled(position, 1000, 11, 7) == shuffled(position, 1000, 11, 8);
    in_place += shuffled(position, 1000, 11, 7) == position;
  }
  CHECK(same < 10);
  CHECK(in_place < 10);
}

}  // namespace limoe
