// Separable resize in fixed point: weights are rounded to 22 bits, so that the result has the same bits
// everywhere.
#include "data/resize.h"

#include <algorithm>
#include <cmath>

#include "tensor/error.h"

namespace limoe {
namespace {

constexpr int kWeightBits = 22;  // 8 bits of pixel and 2 of overshoot are left in an int32
constexpr double kReach = 2.0;   // half width of the kernel

struct Window {
  int first;
  int count;
};

struct Weights {
  std::vector<Window> windows;  // one per output pixel
  std::vector<int32_t> values;  // windows.size() rows of `stride`
  int stride = 0;
};

double kernel(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
  if (x < 2.0) return (((x - 5.0) * x + 8.0) * x - 4.0) * a;
  return 0.0;
}

Weights make_weights(int from, int to) {
  double scale = static_cast<double>(from) / to;
  double widen = std::max(scale, 1.0);
  double reach = kReach * widen;
  Weights weights;
  weights.stride = static_cast<int>(std::ceil(reach)) * 2 + 1;
  weights.values.assign(static_cast<size_t>(weights.stride) * static_cast<size_t>(to), 0);
  std::vector<double> row(static_cast<size_t>(weights.stride));
  for (int i = 0; i < to; ++i) {
    double centre = (i + 0.5) * scale;
    int first = std::max(static_cast<int>(centre - reach + 0.5), 0);
    int last = std::min(static_cast<int>(centre + reach + 0.5), from);
    double sum = 0.0;
    for (int j = first; j < last; ++j)
      sum += row[static_cast<size_t>(j - first)] = kernel((j - centre + 0.5) * (1.0 / widen));
    int32_t* out = weights.values.data() + static_cast<size_t>(i) * static_cast<size_t>(weights.stride);
    for (int j = 0; j < last - first; ++j) {
      double weight = row[static_cast<size_t>(j)] * (1.0 / sum) * (1 << kWeightBits);
      out[j] = static_cast<int32_t>(weight < 0 ? weight - 0.5 : weight + 0.5);
    }
    weights.windows.push_back({first, last - first});
  }
  return weights;
}

uint8_t to_byte(int32_t sum) {
  return static_cast<uint8_t>(std::clamp(sum >> kWeightBits, 0, 255));
}

constexpr int32_t kHalf = 1 << (kWeightBits - 1);

Image resize_rows(const Image& image, int width) {
  Weights weights = make_weights(image.width, width);
  Image out{width, image.height, std::vector<uint8_t>(size_t(width) * size_t(image.height) * 3)};
  uint8_t* to = out.pixels.data();
  for (int y = 0; y < image.height; ++y) {
    const uint8_t* row = image.pixels.data() + size_t(y) * size_t(image.width) * 3;
    for (int x = 0; x < width; ++x, to += 3) {
      const Window& window = weights.windows[size_t(x)];
      const int32_t* weight = weights.values.data() + size_t(x) * size_t(weights.stride);
      const uint8_t* from = row + size_t(window.first) * 3;
      int32_t red = kHalf, green = kHalf, blue = kHalf;
      for (int j = 0; j < window.count; ++j, from += 3) {
        red += from[0] * weight[j];
        green += from[1] * weight[j];
        blue += from[2] * weight[j];
      }
      to[0] = to_byte(red), to[1] = to_byte(green), to[2] = to_byte(blue);
    }
  }
  return out;
}

Image resize_columns(const Image& image, int height) {
  Weights weights = make_weights(image.height, height);
  size_t row_bytes = size_t(image.width) * 3;
  Image out{image.width, height, std::vector<uint8_t>(row_bytes * size_t(height))};
  std::vector<int32_t> sums(row_bytes);
  for (int y = 0; y < height; ++y) {
    const Window& window = weights.windows[size_t(y)];
    const int32_t* weight = weights.values.data() + size_t(y) * size_t(weights.stride);
    std::fill(sums.begin(), sums.end(), kHalf);
    for (int j = 0; j < window.count; ++j) {
      const uint8_t* from = image.pixels.data() + size_t(window.first + j) * row_bytes;
      for (size_t i = 0; i < row_bytes; ++i) sums[i] += from[i] * weight[j];
    }
    std::transform(sums.begin(), sums.end(), out.pixels.begin() + std::ptrdiff_t(row_bytes) * y, to_byte);
  }
  return out;
}

}  // namespace

Image resize_bicubic(const Image& image, int width, int height) {
  if (width < 1 || height < 1)
    throw ValueError("resize_bicubic: size is ", width, " x ", height, "; expected at least 1 x 1");
  size_t bytes = size_t(std::max(image.width, 0)) * size_t(std::max(image.height, 0)) * 3;
  if (bytes == 0 || image.pixels.size() != bytes)
    throw ValueError("resize_bicubic: image is ", image.width, " x ", image.height, " with ",
                     image.pixels.size(), " bytes; expected width * height * 3 bytes, at least one pixel");
  if (width == image.width && height == image.height) return image;
  if (width == image.width) return resize_columns(image, height);
  if (height == image.height) return resize_rows(image, width);
  return resize_columns(resize_rows(image, width), height);
}

}  // namespace limoe
