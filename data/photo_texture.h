// Pictures that cost a decoder what photographs cost: clouds of noise whose amplitude falls with frequency,
// discs with hard edges, and grain. At 640 x 480 pixels and JPEG quality 90 a file has about 85 KB.
#pragma once

#include <cstdint>

#include "data/image.h"

namespace limoe {

// The same bits for the same arguments. ValueError for a side below 1.
Image photo_texture(int width, int height, uint32_t seed);

}  // namespace limoe
