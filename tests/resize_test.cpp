// The bicubic resize against Pillow's, bit for bit.
#include "data/resize.h"

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "tensor/error.h"
#include "tests/support/paths.h"

using namespace limoe;

namespace {

// The formula of tests/golden/resize_golden.py.
Image golden_input(int width, int height) {
  Image image{width, height, {}};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int channel = 0; channel < 3; ++channel) {
        int value = (x * 37 + y * 91 + channel * 53 + x * y * 7 + x * x * 3) % 256;
        image.pixels.push_back(uint8_t(value % 3 == 0 ? 0 : value % 3 == 1 ? 255 : value));
      }
  return image;
}

int largest_difference(const Image& a, const std::vector<uint8_t>& pixels) {
  if (a.pixels.size() != pixels.size()) return 256;
  int largest = 0;
  for (size_t i = 0; i < pixels.size(); ++i) largest = std::max(largest, std::abs(a.pixels[i] - pixels[i]));
  return largest;
}

struct GoldenResize {
  int from_width, from_height, width, height;
  std::vector<uint8_t> pixels;
};

std::vector<GoldenResize> read_golden() {
  std::ifstream file(testing::golden_path("resize_golden.txt"));
  std::vector<GoldenResize> cases;
  std::string line;
  std::getline(file, line);  // the comment
  while (std::getline(file, line)) {
    GoldenResize golden{};
    std::istringstream(line) >> golden.from_width >> golden.from_height >> golden.width >> golden.height;
    std::getline(file, line);
    std::istringstream numbers(line);
    for (int value = 0; numbers >> value;) golden.pixels.push_back(uint8_t(value));
    cases.push_back(golden);
  }
  return cases;
}

}  // namespace

TEST_CASE("bicubic resize has the bits of Pillow's, shrinking and growing") {
  std::vector<GoldenResize> cases = read_golden();
  CHECK(cases.size() == 9);
  for (const GoldenResize& golden : cases) {
    CAPTURE(golden.from_width);
    CAPTURE(golden.width);
    Image got =
        resize_bicubic(golden_input(golden.from_width, golden.from_height), golden.width, golden.height);
    CHECK(got.width == golden.width);
    CHECK(got.height == golden.height);
    CHECK(largest_difference(got, golden.pixels) == 0);
  }
}

TEST_CASE("the comparison with Pillow sees one wrong pixel") {
  GoldenResize golden = read_golden().at(0);
  golden.pixels[5] ^= 1;
  Image got =
      resize_bicubic(golden_input(golden.from_width, golden.from_height), golden.width, golden.height);
  CHECK(largest_difference(got, golden.pixels) == 1);
}

TEST_CASE("resizing to the same size changes nothing") {
  Image image = golden_input(6, 4);
  CHECK(resize_bicubic(image, 6, 4).pixels == image.pixels);
}

TEST_CASE("a flat picture stays flat at any size") {
  Image flat{13, 7, std::vector<uint8_t>(13 * 7 * 3, 201)};
  for (int side : {1, 2, 5, 13, 40})
    CHECK(resize_bicubic(flat, side, side).pixels == std::vector<uint8_t>(size_t(side * side * 3), 201));
}

TEST_CASE("resize refuses an empty size and a picture that is not what it says") {
  CHECK_THROWS_AS(resize_bicubic(golden_input(2, 2), 0, 4), ValueError);
  CHECK_THROWS_AS(resize_bicubic(golden_input(2, 2), 4, -1), ValueError);
  CHECK_THROWS_AS(resize_bicubic(Image{0, 0, {}}, 4, 4), ValueError);
  CHECK_THROWS_AS(resize_bicubic(Image{3, 3, {1, 2, 3}}, 4, 4), ValueError);
}
