// Which format a file has, and the limits all decoders share.
#include "data/image.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

#include "data/image_codecs.h"
#include "tensor/error.h"

namespace limoe {
namespace {

constexpr std::array<uint8_t, 8> kPngSignature = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
constexpr std::array<uint8_t, 3> kJpegSignature = {0xff, 0xd8, 0xff};
constexpr std::array<uint8_t, 4> kRiffSignature = {'R', 'I', 'F', 'F'};
constexpr std::array<uint8_t, 4> kGifSignature = {'G', 'I', 'F', '8'};
constexpr std::array<uint8_t, 2> kBmpSignature = {'B', 'M'};

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

void check_memory(const std::string& name, int64_t width, int64_t height, int64_t needed,
                  std::size_t file_bytes) {
  if (needed > memory_budget(file_bytes))
    throw FileError(name, ": picture is ", width, " x ", height, " pixels, ", needed,
                    " bytes to decode, in a file of ", file_bytes, " bytes; expected at most ",
                    memory_budget(file_bytes));
}

void composite_on_white(const uint8_t* rgba, std::size_t pixels, uint8_t* rgb) {
  for (std::size_t pixel = 0; pixel < pixels; ++pixel, rgba += 4)
    for (int channel = 0; channel < 3; ++channel)
      *rgb++ = static_cast<uint8_t>((rgba[channel] * rgba[3] + 255 * (255 - rgba[3]) + 127) / 255);
}

Image decode_image(std::span<const uint8_t> file, const std::string& name, int64_t max_pixels,
                   int least_side) {
  if (starts_with(file, kPngSignature)) return decode_png(file, name, max_pixels);
  if (starts_with(file, kJpegSignature)) return decode_jpeg(file, name, max_pixels, least_side);
  if (starts_with(file, kRiffSignature) && file.size() >= 12 && std::memcmp(&file[8], "WEBP", 4) == 0)
    return decode_webp(file, name, max_pixels);
  if (starts_with(file, kGifSignature)) return decode_gif(file, name, max_pixels);
  if (starts_with(file, kBmpSignature)) return decode_bmp(file, name, max_pixels);
  throw FileError(
      name, ": picture is ", first_bytes(file),
      "; expected PNG (89 50 4e 47 ...), JPEG (ff d8 ff), WebP (RIFF, then WEBP), GIF (GIF8) or BMP (BM)");
}

}  // namespace limoe
