// A picture as the square that a model reads when nothing is varied: its shorter side scaled to `size` pixels
// (bicubic, antialiased: data/resize.h), its centre cut out.
#pragma once

#include "data/image.h"

namespace limoe {

// ValueError for a picture without pixels or with sides of more than kMaxImageAspect to 1: scaled up, it
// would be huge.
inline constexpr int kMaxImageAspect = 50;
Image fit_square(const Image& image, int size);

Image resize_shorter_side(const Image& image, int size);  // the whole picture
Image centre_square(const Image& image, int size);        // of a picture with no side shorter than `size`

}  // namespace limoe
