// Pictures in memory, and the two file formats the data sets use.
//
// An Image is 8 bit RGB, interleaved, row by row: pixels[(y * width + x) * 3 + channel].
//
//   decode_image   PNG or JPEG, told apart by their first bytes, to RGB. Transparency is composited on white,
//                  c' = c a + 255 (1 - a); grey and palette are expanded, 16 bit samples are reduced to 8,
//                  CMYK is multiplied out. Colour profiles, gamma and orientation tags are ignored.
//                  The size in the header is held against max_pixels before anything is decoded.
//   encode_png     RGB to PNG, tuned for speed; the same picture always gives the same bytes.
//
// A file that is neither format, is cut short or is damaged is a FileError that begins with `name`.
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

Image decode_image(std::span<const uint8_t> file, const std::string& name, int64_t max_pixels = kMaxPixels);

std::vector<uint8_t> encode_png(const Image& image);

}  // namespace limoe
