// What a hostile picture may cost, and what damage to each format does.
#include <doctest/doctest.h>

#include <filesystem>

#include "data/image.h"
#include "data/image_codecs.h"
#include "data/image_headers.h"
#include "data/sources/picture_file.h"
#include "tensor/error.h"
#include "tests/support/built_in_formats.h"
#include "tests/support/paths.h"

using namespace limoe;

namespace {

using Bytes = std::vector<uint8_t>;

const std::string kPictures = testing::golden_path("data/pictures/");

Bytes picture(const std::string& name) {
  return read_picture_file(kPictures + name, "test");
}

std::string message_of(const Bytes& file, int64_t max_pixels = kMaxPixels) {
  try {
    decode_image(file, "x", max_pixels);
  } catch (const FileError& error) {
    return error.what();
  }
  return "";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

void set_number(Bytes& file, size_t at, int64_t value, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) file[at + i] = uint8_t(value >> (8 * i));
}

}  // namespace

TEST_CASE("a file below 1 MB may cost 64 MB, a larger one in proportion") {
  CHECK(memory_budget(10) == 64'000'000);
  CHECK(memory_budget(1'000'000) == 64'000'000);
  CHECK(memory_budget(5'000'000) == 320'000'000);
}

TEST_CASE("a small file of a huge picture is refused by its header, in every format") {
  if (!webp_is_built_in() || !stb_image_is_built_in()) return;
  Bytes gif = picture("plain.gif");
  set_number(gif, 6, 4000, 2);
  set_number(gif, 8, 4000, 2);
  CHECK(contains(message_of(gif), "4000 x 4000 pixels, 192131072 bytes to decode, in a file of 852 bytes"));
  // 22 million pixels: within the limit of pixels, but 66 MB as RGB
  Bytes jpeg = picture("baseline.jpg");
  for (size_t at = 2; at + 9 < jpeg.size(); ++at)
    if (jpeg[at] == 0xff && jpeg[at + 1] == 0xc0) {
      jpeg[at + 5] = 4400 >> 8, jpeg[at + 6] = 4400 & 0xff;
      jpeg[at + 7] = 5000 >> 8, jpeg[at + 8] = 5000 & 0xff;
      break;
    }
  CHECK(contains(message_of(jpeg), "5000 x 4400 pixels, 66966144 bytes to decode"));
  Bytes progressive = picture("progressive.jpg");
  for (size_t at = 2; at + 9 < progressive.size(); ++at)
    if (progressive[at] == 0xff && progressive[at + 1] == 0xc2) {
      progressive[at + 5] = 3400 >> 8, progressive[at + 6] = 3400 & 0xff;
      progressive[at + 7] = 4000 >> 8, progressive[at + 8] = 4000 & 0xff;
      break;
    }
  CHECK(contains(message_of(progressive), "82406144 bytes to decode"));  // pixels, coefficients and rows
  CHECK(contains(message_of(picture("lossy.webp"), 100), "24 x 16 pixels; expected 1 to 100 in all"));
}

TEST_CASE("a header of BMP that promises what is not there is refused") {
  if (!stb_image_is_built_in()) return;
  const Bytes good = picture("plain.bmp");
  CHECK(message_of(good).empty());
  const auto with = [&](size_t at, int64_t value, size_t bytes) {
    Bytes file = good;
    set_number(file, at, value, bytes);
    return message_of(file);
  };
  CHECK(contains(with(18, 1 << 30, 4), "rows of"));
  CHECK(contains(with(22, 1'000'000, 4), "1000000 rows"));
  CHECK(contains(with(22, int64_t{1} << 31, 4), "expected sides of at least 1"));
  CHECK(contains(with(18, 0, 4), "expected sides of at least 1"));
  CHECK(contains(with(10, 1 << 20, 4), "pixels begin at byte 1048576"));
  CHECK(contains(with(10, 3, 4), "pixels begin at byte 3"));
  CHECK(contains(with(14, 12, 4), "its header has 12 bytes"));
  CHECK(contains(with(28, 16, 2), "has 16 bits a pixel"));
  CHECK(contains(with(30, 1, 4), "compression is 1"));
  CHECK(contains(with(26, 2, 2), "number of planes"));
  Bytes upside_down = good;
  set_number(upside_down, 22, -7, 4);
  CHECK(message_of(upside_down).empty());
}

TEST_CASE("a header of GIF that makes no sense is refused") {
  if (!stb_image_is_built_in()) return;
  const Bytes good = picture("plain.gif");
  CHECK(check_gif(good, "x").width == 9);
  Bytes file = good;
  file[4] = '8';
  CHECK(contains(message_of(file), "version is neither 87a nor 89a"));
  file = good;
  set_number(file, 6, 0, 2);
  CHECK(contains(message_of(file), "0 x 7 pixels"));
  file = good;
  set_number(file, 6, 8, 2);  // the picture is wider than its canvas
  CHECK(contains(message_of(file), "expected it inside 8 x 7"));
  file = good;
  file[10] = 0;  // no palette: the bytes of the palette are read as blocks
  CHECK(!message_of(file).empty());
}

TEST_CASE("every truncation of a WebP, BMP or GIF is an error") {
  for (const char* name : {"lossless.webp", "lossy.webp", "alpha.webp", "plain.bmp", "palette.bmp",
                           "magick.bmp", "interlaced.gif"}) {
    if (!testing::can_decode(name)) continue;
    CAPTURE(name);
    const Bytes whole = picture(name);
    CHECK(message_of(whole).empty());
    // A GIF ends with a byte that says so, which no reader needs.
    const size_t shortest = whole.size() - (std::string(name).ends_with(".gif") ? 2 : 1);
    size_t accepted = 0;
    for (size_t length = 0; length <= shortest; ++length)
      accepted += message_of(Bytes(whole.begin(), whole.begin() + std::ptrdiff_t(length))).empty();
    CHECK(accepted == 0);
  }
}

TEST_CASE("any byte of any picture may be wrong: an error or other pixels, nothing worse") {
  for (const auto& entry : std::filesystem::directory_iterator(kPictures)) {
    const std::string name = entry.path().filename().string();
    CAPTURE(name);
    const Bytes good = picture(name);
    for (size_t at = 0; at < good.size(); ++at)
      for (const int value : {0, 0x7f, 0xff, good[at] ^ 1}) {
        Bytes file = good;
        file[at] = uint8_t(value);
        try {
          const Image image = decode_image(file, "x", 1'000'000);
          CHECK(image.pixels.size() == size_t(image.width) * size_t(image.height) * 3);
        } catch (const FileError&) {
        }
      }
  }
}

TEST_CASE("a moving WebP is refused, a moving GIF gives its first picture") {
  if (!webp_is_built_in() || !stb_image_is_built_in()) return;
  CHECK(message_of(picture("moving.gif")).empty());
  Bytes moving = {'R', 'I', 'F', 'F', 30, 0, 0, 0, 'W', 'E', 'B', 'P', 'V', 'P', '8', 'X', 10, 0, 0, 0,
                  2,   0,   0,   0,   8,  0, 0, 6, 0,   0,   'A', 'N', 'I', 'M', 6,   0,   0,  0, 0, 0};
  moving.resize(64);
  CHECK(contains(message_of(moving), "a moving picture; expected a still one"));
}
