// Which format a file has, and the pixel limit both decoders share.
#include "data/image.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "data/image_codecs.h"
#include "tensor/error.h"

namespace limoe {
namespace {

constexpr std::array<uint8_t, 8> kPngSignature = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
constexpr std::array<uint8_t, 3> kJpegSignature = {0xff, 0xd8, 0xff};

template <size_t N>
bool starts_with(std::span<const uint8_t> file, const std::array<uint8_t, N>& signature) {
  return file.size() >= N && std::equal(signature.begin(), signature.end(), file.begin());
}

std::string first_bytes(std::span<const uint8_t> file) {
  if (file.empty()) return "empty";
  std::string text = "a file that starts with bytes";
  for (uint8_t byte : file.first(std::min<size_t>(file.size(), 8))) {
    char hex[4];
    std::snprintf(hex, sizeof hex, " %02x", byte);
    text += hex;
  }
  return text;
}

}  // namespace

void check_pixel_limit(const std::string& name, int64_t width, int64_t height, int64_t max_pixels) {
  // Written as a division, because width * height of a hostile header may overflow.
  if (width < 1 || height < 1 || width > max_pixels / height)
    throw FileError(name, ": picture is ", width, " x ", height, " pixels; expected 1 to ", max_pixels,
                    " in all");
}

Image decode_image(std::span<const uint8_t> file, const std::string& name, int64_t max_pixels) {
  if (starts_with(file, kPngSignature)) return decode_png(file, name, max_pixels);
  if (starts_with(file, kJpegSignature)) return decode_jpeg(file, name, max_pixels);
  throw FileError(name, ": picture is ", first_bytes(file),
                  "; expected PNG (89 50 4e 47 ...) or JPEG (ff d8 ff)");
}

}  // namespace limoe
