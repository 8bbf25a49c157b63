// Strict checks of BMP and GIF files before a decoder sees them: whoever passes has a header that makes sense
// and all the bytes that it promises. FileError that begins with `name` otherwise.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace limoe {

struct PictureSize {
  int64_t width = 0;
  int64_t height = 0;
};

// BITMAPINFOHEADER and its extensions V4 and V5 with 1, 4, 8, 24 or 32 bits a pixel, rows from either end,
// uncompressed; with 32 bits the colours may be bytes in any order, said by masks. Not run-length coded ones,
// and not OS/2's or Windows CE's kinds.
PictureSize check_bmp(std::span<const uint8_t> file, const std::string& name);

// GIF87a and GIF89a up to the end of the first picture, whose rectangle must lie in the canvas and which must
// have a palette and pixel data that ends.
PictureSize check_gif(std::span<const uint8_t> file, const std::string& name);

}  // namespace limoe
