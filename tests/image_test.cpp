// PNG and JPEG: every kind of PNG to RGB, JPEG with three and four inks, damaged and hostile files.
#include "data/image.h"

#include <doctest/doctest.h>
#include <png.h>
// jpeglib.h needs FILE and size_t declared before it.
// clang-format off
#include <cstddef>
#include <cstdio>
#include <cstdlib>

#include <jpeglib.h>
// clang-format on

#include <cstring>

#include "tensor/error.h"
#include "tests/support/shard_fixture.h"

using namespace limoe;

namespace {

struct PngKind {
  int colour_type;
  int depth;
  bool interlaced = false;
  bool transparent_grey = false;  // a tRNS chunk: grey value 0 is transparent
};

// Rows of a PNG of any kind, written by libpng's own encoder.
std::vector<uint8_t> make_png(int width, int height, const PngKind& kind,
                              std::vector<std::vector<uint8_t>> rows,
                              const std::vector<png_color>& palette = {}, std::vector<uint8_t> alphas = {}) {
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  std::vector<uint8_t> out;
  png_set_write_fn(
      png, &out,
      [](png_structp p, png_bytep bytes, png_size_t count) {
        auto* to = static_cast<std::vector<uint8_t>*>(png_get_io_ptr(p));
        to->insert(to->end(), bytes, bytes + count);
      },
      [](png_structp) {});
  png_set_IHDR(png, info, png_uint_32(width), png_uint_32(height), kind.depth, kind.colour_type,
               kind.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
               PNG_FILTER_TYPE_DEFAULT);
  if (!palette.empty()) png_set_PLTE(png, info, palette.data(), int(palette.size()));
  if (!alphas.empty()) png_set_tRNS(png, info, alphas.data(), int(alphas.size()), nullptr);
  png_color_16 transparent{};
  if (kind.transparent_grey) png_set_tRNS(png, info, nullptr, 0, &transparent);
  png_write_info(png, info);
  std::vector<png_bytep> pointers;
  for (auto& row : rows) pointers.push_back(row.data());
  png_write_image(png, pointers.data());
  png_write_end(png, nullptr);
  png_destroy_write_struct(&png, &info);
  return out;
}

std::vector<uint8_t> make_jpeg(const std::vector<uint8_t>& pixels, int width, int height, int components,
                               J_COLOR_SPACE space) {
  jpeg_compress_struct encoder;
  jpeg_error_mgr errors;
  encoder.err = jpeg_std_error(&errors);
  jpeg_create_compress(&encoder);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&encoder, &bytes, &size);
  encoder.image_width = unsigned(width);
  encoder.image_height = unsigned(height);
  encoder.input_components = components;
  encoder.in_color_space = space;
  jpeg_set_defaults(&encoder);
  jpeg_set_quality(&encoder, 95, TRUE);
  jpeg_start_compress(&encoder, TRUE);
  while (encoder.next_scanline < encoder.image_height) {
    JSAMPROW row =
        const_cast<uint8_t*>(pixels.data()) + size_t(encoder.next_scanline) * size_t(width * components);
    jpeg_write_scanlines(&encoder, &row, 1);
  }
  jpeg_finish_compress(&encoder);
  std::vector<uint8_t> out(bytes, bytes + size);
  jpeg_destroy_compress(&encoder);
  std::free(bytes);
  return out;
}

std::vector<uint8_t> flat(int width, int height, std::vector<uint8_t> pixel) {
  std::vector<uint8_t> pixels;
  for (int i = 0; i < width * height; ++i) pixels.insert(pixels.end(), pixel.begin(), pixel.end());
  return pixels;
}

void check_near(const Image& image, std::vector<int> colour, int allowed) {
  for (size_t i = 0; i < image.pixels.size(); ++i)
    CHECK(std::abs(int(image.pixels[i]) - colour[i % 3]) <= allowed);
}

std::string message_of(const std::vector<uint8_t>& file, int64_t max_pixels = kMaxPixels) {
  try {
    decode_image(file, "cat.png", max_pixels);
  } catch (const FileError& error) {
    return error.what();
  }
  return "no error";
}

using Pixels = std::vector<uint8_t>;

}  // namespace

TEST_CASE("a picture survives PNG unchanged") {
  for (auto [width, height] : {std::pair{1, 1}, {7, 3}, {64, 64}}) {
    Image image = numbered_image(width, height, width);
    Image back = decode_image(encode_png(image), "a.png");
    CHECK(back.width == width);
    CHECK(back.height == height);
    CHECK(back.pixels == image.pixels);
  }
}

TEST_CASE("the same picture gives the same PNG bytes") {
  CHECK(encode_png(numbered_image(9, 9, 1)) == encode_png(numbered_image(9, 9, 1)));
}

TEST_CASE("transparency is composited on white") {
  // Opaque red, half transparent black, fully transparent green.
  auto file = make_png(3, 1, {PNG_COLOR_TYPE_RGBA, 8}, {{200, 10, 0, 255, 0, 0, 0, 128, 0, 255, 0, 0}});
  CHECK(decode_image(file, "a").pixels == Pixels{200, 10, 0, 127, 127, 127, 255, 255, 255});
  auto grey_alpha = make_png(2, 1, {PNG_COLOR_TYPE_GRAY_ALPHA, 8}, {{40, 255, 40, 0}});
  CHECK(decode_image(grey_alpha, "a").pixels == Pixels{40, 40, 40, 255, 255, 255});
}

TEST_CASE("grey of any depth becomes RGB") {
  CHECK(decode_image(make_png(2, 1, {PNG_COLOR_TYPE_GRAY, 8}, {{7, 250}}), "a").pixels ==
        Pixels{7, 7, 7, 250, 250, 250});
  CHECK(decode_image(make_png(2, 1, {PNG_COLOR_TYPE_GRAY, 1}, {{0x40}}), "a").pixels ==
        Pixels{0, 0, 0, 255, 255, 255});
  CHECK(decode_image(make_png(2, 1, {PNG_COLOR_TYPE_GRAY, 4}, {{0x1f}}), "a").pixels ==
        Pixels{17, 17, 17, 255, 255, 255});
  CHECK(decode_image(make_png(2, 1, {PNG_COLOR_TYPE_GRAY, 8, false, true}, {{0, 9}}), "a").pixels ==
        Pixels{255, 255, 255, 9, 9, 9});
}

TEST_CASE("a palette is expanded, its transparency too") {
  std::vector<png_color> palette = {{255, 0, 0}, {0, 0, 255}};
  auto file = make_png(2, 1, {PNG_COLOR_TYPE_PALETTE, 8}, {{0, 1}}, palette);
  CHECK(decode_image(file, "a").pixels == Pixels{255, 0, 0, 0, 0, 255});
  auto clear = make_png(2, 1, {PNG_COLOR_TYPE_PALETTE, 8}, {{0, 1}}, palette, {0});
  CHECK(decode_image(clear, "a").pixels == Pixels{255, 255, 255, 0, 0, 255});
}

TEST_CASE("sixteen bit samples are reduced to eight") {
  auto file = make_png(1, 1, {PNG_COLOR_TYPE_RGB, 16}, {{0xff, 0xff, 0x80, 0x00, 0x00, 0xff}});
  CHECK(decode_image(file, "a").pixels == Pixels{255, 128, 1});
}

TEST_CASE("an interlaced PNG decodes as any other") {
  Image image = numbered_image(11, 9, 3);
  std::vector<std::vector<uint8_t>> rows;
  for (int y = 0; y < 9; ++y)
    rows.emplace_back(image.pixels.begin() + y * 33, image.pixels.begin() + (y + 1) * 33);
  CHECK(decode_image(make_png(11, 9, {PNG_COLOR_TYPE_RGB, 8, true}, rows), "a").pixels == image.pixels);
}

TEST_CASE("JPEG in colour, grey and four inks becomes RGB") {
  check_near(decode_image(make_jpeg(flat(17, 9, {200, 40, 60}), 17, 9, 3, JCS_RGB), "a.jpg"), {200, 40, 60},
             6);
  check_near(decode_image(make_jpeg(flat(8, 8, {90}), 8, 8, 1, JCS_GRAYSCALE), "a.jpg"), {90, 90, 90}, 2);
  // Adobe's marker is written for four inks, so 255 means none: c k / 255.
  check_near(decode_image(make_jpeg(flat(8, 8, {255, 128, 0, 255}), 8, 8, 4, JCS_CMYK), "a.jpg"),
             {255, 128, 0}, 3);
  check_near(decode_image(make_jpeg(flat(8, 8, {255, 255, 255, 0}), 8, 8, 4, JCS_CMYK), "a.jpg"), {0, 0, 0},
             3);
}

TEST_CASE("a PNG cut at any byte is a FileError") {
  std::vector<uint8_t> whole = encode_png(numbered_image(5, 4, 1));
  CHECK_NOTHROW(decode_image(whole, "a"));
  for (size_t length = 0; length < whole.size(); ++length) {
    CAPTURE(length);
    CHECK_THROWS_AS(decode_image(std::span(whole).first(length), "a"), FileError);
  }
}

TEST_CASE("a JPEG cut at any byte is a FileError") {
  std::vector<uint8_t> whole = make_jpeg(numbered_image(20, 20, 1).pixels, 20, 20, 3, JCS_RGB);
  CHECK_NOTHROW(decode_image(whole, "a"));
  for (size_t length = 0; length < whole.size(); ++length) {
    CAPTURE(length);
    CHECK_THROWS_AS(decode_image(std::span(whole).first(length), "a"), FileError);
  }
}

TEST_CASE("a PNG with any changed byte is decoded or a FileError, never a crash") {
  std::vector<uint8_t> whole = encode_png(numbered_image(5, 4, 1));
  int refused = 0;
  for (size_t at = 0; at < whole.size(); ++at) {
    std::vector<uint8_t> damaged = whole;
    damaged[at] ^= 0x55;
    try {
      decode_image(damaged, "a");
    } catch (const FileError&) {
      ++refused;
    }
  }
  CHECK(refused > int(whole.size()) / 2);
}

TEST_CASE("a JPEG with any changed byte is decoded or a FileError, never a crash") {
  std::vector<uint8_t> whole = make_jpeg(numbered_image(20, 20, 1).pixels, 20, 20, 3, JCS_RGB);
  int refused = 0;
  for (size_t at = 0; at < whole.size(); ++at) {
    std::vector<uint8_t> damaged = whole;
    damaged[at] ^= 0xff;
    try {
      decode_image(damaged, "a", 1'000'000);
    } catch (const FileError&) {
      ++refused;
    }
  }
  CHECK(refused > 10);
}

TEST_CASE("the pixel limit is checked in the header") {
  std::vector<uint8_t> png = encode_png(numbered_image(20, 20, 1));
  CHECK_NOTHROW(decode_image(png, "a", 400));
  CHECK(message_of(png, 399) == "cat.png: picture is 20 x 20 pixels; expected 1 to 399 in all");
  std::vector<uint8_t> jpeg = make_jpeg(flat(20, 20, {1, 2, 3}), 20, 20, 3, JCS_RGB);
  CHECK(message_of(jpeg, 399) == "cat.png: picture is 20 x 20 pixels; expected 1 to 399 in all");
}

TEST_CASE("another format is refused with its first bytes") {
  CHECK(message_of({'I', 'I', '*', 0, 8, 0, 0, 0, 1}) ==
        "cat.png: picture is a file that starts with bytes 49 49 2a 00 08 00 00 00; expected PNG (89 50 4e "
        "47 ...), JPEG (ff d8 ff), WebP (RIFF, then WEBP), GIF (GIF8) or BMP (BM)");
  CHECK(message_of({}).find("picture is empty") != std::string::npos);
}

TEST_CASE("encode_png refuses a picture that is not what it says") {
  CHECK_THROWS_AS(encode_png(Image{2, 2, {1, 2, 3}}), ValueError);
  CHECK_THROWS_AS(encode_png(Image{0, 0, {}}), ValueError);
}
