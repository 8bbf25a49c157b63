// The decoders behind decode_image, one a format. Each checks the header against max_pixels before decoding.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "data/image.h"

namespace limoe {

Image decode_png(std::span<const uint8_t> file, const std::string& name, int64_t max_pixels);
Image decode_jpeg(std::span<const uint8_t> file, const std::string& name, int64_t max_pixels);

// FileError when width x height is empty or above max_pixels.
void check_pixel_limit(const std::string& name, int64_t width, int64_t height, int64_t max_pixels);

}  // namespace limoe
