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

Image resize_shorter_side(const Image& image, int size) {
  const double scale = static_cast<double>(size) / std::min(image.width, image.height);
  const auto scaled = [&](int side) { return std::max(size, static_cast<int>(std::lround(side * scale))); };
  return resize_bicubic(image, scaled(image.width), scaled(image.height));
}

Image fit_square(const Image& image, int size) {
  const auto [shorter, longer] = std::minmax(image.width, image.height);
  if (shorter < 1 || longer / shorter > kMaxImageAspect)
    throw ValueError("image: is ", image.width, " x ", image.height, "; expected sides of at most ",
                     kMaxImageAspect, " to 1");
  return centre_square(shorter == size ? image : resize_shorter_side(image, size), size);
}

}  // namespace limoe
