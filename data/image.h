// Pictures in memory, and the file formats they come in.
//
// An Image is 8 bit RGB, interleaved, row by row: pixels[(y * width + x) * 3 + channel].
//
//   decode_image   PNG, JPEG, WebP, BMP or GIF (its first picture), told apart by their first bytes, to RGB.
//                  Transparency is composited on white, c' = c a + 255 (1 - a); grey and palette are
//                  expanded, 16 bit samples are reduced to 8, CMYK is multiplied out. Colour profiles, gamma
//                  and orientation tags are ignored.
//   encode_png     RGB to PNG, tuned for speed; the same picture always gives the same bytes.
//   encode_jpeg    RGB to JPEG, chroma halved both ways
//
// What a file may cost is known from its header before anything is allocated: at most max_pixels, and at most
// max(64 MB, 64 bytes for each byte of the file) of memory in all. A photograph of 24 million pixels takes
// 72 MB and has a file of megabytes; a file of kilobytes that claims as much is made to exhaust memory.
//
// least_side > 0: the caller shrinks the picture until its shorter side has least_side pixels. A JPEG is then
// decoded to 1/2, 1/4 or 1/8 by its own cosine transform, as long as the shorter side keeps
// kReductionMargin times least_side: against full decoding the shrunk picture then differs by 1/255 on
// average over a photograph, which tests/jpeg_reduction_test.cpp holds. Other formats ignore it.
//
// A file that is none of the formats, is cut short or is damaged is a FileError that begins with `name`. WebP
// needs libwebp, BMP and GIF need stb_image; a build without them says so in the error.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace limoe {

struct Image {
  int width = 0;
  int height = 0;
  std::vector<uint8_t> pixels;
};

constexpr int64_t kMaxPixels = 25'000'000;

constexpr int kReductionMargin = 2;

Image decode_image(std::span<const uint8_t> file, const std::string& name, int64_t max_pixels = kMaxPixels,
                   int least_side = 0);

bool webp_is_built_in();
bool stb_image_is_built_in();

std::vector<uint8_t> encode_png(const Image& image);
std::vector<uint8_t> encode_jpeg(const Image& image, int quality);  // 1 to 100

}  // namespace limoe
