#include "data/square.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "data/resize.h"
#include "tensor/error.h"

namespace limoe {

Image centre_square(const Image& image, int size) {
  if (image.width == size && image.height == size) return image;
  Image square{size, size, {}};
  square.pixels.reserve(static_cast<std::size_t>(size) * static_cast<std::size_t>(size) * 3);
  const int left = (image.width - size) / 2, top = (image.height - size) / 2;
  for (int y = 0; y < size; ++y) {
    const auto row = image.pixels.begin() + (static_cast<std::ptrdiff_t>(top + y) * image.width + left) * 3;
    square.pixels.insert(square.pixels.end(), row, row + static_cast<std::ptrdiff_t>(size) * 3);
  }
  return square;
}

namespace {

// `side` of a picture whose shorter side becomes `size`.
int scaled_side(const Image& image, int side, int size) {
  const double scale = static_cast<double>(size) / std::min(image.width, image.height);
  return std::max(size, static_cast<int>(std::lround(side * scale)));
}

}  // namespace

Image resize_shorter_side(const Image& image, int size) {
  return resize_bicubic(image, scaled_side(image, image.width, size), scaled_side(image, image.height, size));
}

Image fit_square(const Image& image, int size) {
  const auto [shorter, longer] = std::minmax(image.width, image.height);
  if (shorter < 1 || longer / shorter > kMaxImageAspect)
    throw ValueError("image: is ", image.width, " x ", image.height, "; expected sides of at most ",
                     kMaxImageAspect, " to 1");
  if (shorter == size) return centre_square(image, size);
  const int width = scaled_side(image, image.width, size), height = scaled_side(image, image.height, size);
  return resize_bicubic_part(image, width, height, {(width - size) / 2, (height - size) / 2, size, size});
}

}  // namespace limoe
