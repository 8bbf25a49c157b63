// JPEGs decoded at 1/2, 1/4, 1/8 where the picture is shrunk anyway: the contract of data/image.h.
#include <doctest/doctest.h>

#include <cmath>

#include "data/image.h"
#include "data/photo_texture.h"
#include "data/square.h"
#include "tensor/error.h"

using namespace limoe;

namespace {

constexpr double kMeanDifference = 1.0;  // of 255, as the contract says

struct Difference {
  double mean = 0;
  int largest = 0;
};

Difference difference(const Image& a, const Image& b) {
  Difference result;
  for (size_t i = 0; i < a.pixels.size(); ++i) {
    const int one = std::abs(a.pixels[i] - b.pixels[i]);
    result.mean += one;
    result.largest = std::max(result.largest, one);
  }
  result.mean /= double(a.pixels.size());
  return result;
}

Image decoded(const std::vector<uint8_t>& file, int least_side) {
  return decode_image(file, "x", kMaxPixels, least_side);
}

}  // namespace

TEST_CASE("a JPEG is reduced only while its shorter side keeps twice what is asked for") {
  const std::vector<uint8_t> file = encode_jpeg(photo_texture(200, 131, 1), 90);
  CHECK(decoded(file, 0).width == 200);
  CHECK(decoded(file, 33).width == 200);  // 131 / 2 is below 66
  CHECK(decoded(file, 32).width == 100);
  CHECK(decoded(file, 32).height == 66);
  CHECK(decoded(file, 16).width == 50);
  CHECK(decoded(file, 8).width == 25);
  CHECK(decoded(file, 1).width == 25);
  CHECK(decode_image(encode_png(photo_texture(64, 64, 1)), "x", kMaxPixels, 1).width == 64);
}

TEST_CASE("a square from a reduced JPEG is that from the whole one, within 1/255 on average") {
  for (const int side : {24, 32, 56, 60}) {
    const std::vector<uint8_t> file = encode_jpeg(photo_texture(640, 480, uint32_t(side)), 90);
    CAPTURE(side);
    const Image reduced = decoded(file, side);
    CHECK(reduced.height < 480);
    const Difference found = difference(fit_square(reduced, side), fit_square(decoded(file, 0), side));
    CAPTURE(found.largest);
    CHECK(found.mean <= kMeanDifference);
  }
}

TEST_CASE("the comparison of squares sees another picture") {
  const Image one = photo_texture(32, 32, 1), other = photo_texture(32, 32, 2);
  CHECK(difference(one, other).mean > 10 * kMeanDifference);
}

TEST_CASE("encode_jpeg refuses a picture that is not what it says, and photo_texture an empty one") {
  CHECK_THROWS_AS(encode_jpeg(Image{2, 2, {1, 2, 3}}, 90), ValueError);
  CHECK_THROWS_AS(encode_jpeg(photo_texture(4, 4, 1), 0), ValueError);
  CHECK_THROWS_AS(encode_jpeg(photo_texture(4, 4, 1), 101), ValueError);
  CHECK_THROWS_AS(photo_texture(0, 4, 1), ValueError);
}
