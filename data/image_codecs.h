// The decoders behind decode_image, one a format. Each holds the header against max_pixels and the memory it
// will take against the budget before decoding.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "data/image.h"

namespace limoe {

Image decode_png(std::span<const uint8_t> file, const std::string& name, int64_t max_pixels);
Image decode_jpeg(std::span<const uint8_t> file, const std::string& name, int64_t max_pixels, int least_side);
Image decode_webp(std::span<const uint8_t> file, const std::string& name, int64_t max_pixels);
Image decode_bmp(std::span<const uint8_t> file, const std::string& name, int64_t max_pixels);
Image decode_gif(std::span<const uint8_t> file, const std::string& name, int64_t max_pixels);

// FileError when width x height is empty or above max_pixels.
void check_pixel_limit(const std::string& name, int64_t width, int64_t height, int64_t max_pixels);

// What decoding a file of so many bytes may allocate in all.
constexpr int64_t memory_budget(std::size_t file_bytes) {
  constexpr int64_t kAlways = 64'000'000, kPerByte = 64;
  const int64_t by_size = kPerByte * static_cast<int64_t>(file_bytes);
  return by_size > kAlways ? by_size : kAlways;
}

// FileError when `needed` is above the budget.
void check_memory(const std::string& name, int64_t width, int64_t height, int64_t needed,
                  std::size_t file_bytes);

// RGBA rows on white.
void composite_on_white(const uint8_t* rgba, std::size_t pixels, uint8_t* rgb);

}  // namespace limoe
