// Separable resize in fixed point: weights are rounded to 22 bits, so that the result has the same bits
// everywhere. Sixteen sums are made at a time: in the first pass the 4 bytes of a pixel in four rows, in the
// second sixteen bytes that stand beside each other.
#include "data/resize.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "tensor/error.h"

namespace limoe {
namespace {

constexpr int kWeightBits = 22;  // 8 bits of pixel and 2 of overshoot are left in an int32
constexpr double kReach = 2.0;   // half width of the kernel

constexpr int kLanes = 16;
constexpr int kRowsAtOnce = 4;  // of 4 bytes a pixel: one pixel of each fills the lanes

struct Window {
  int first;
  int count;
};

struct Weights {
  std::vector<Window> windows;  // one per output pixel
  std::vector<int32_t> values;  // windows.size() rows of `stride`
  int stride = 0;

  const int32_t* of(int i) const { return values.data() + size_t(i) * size_t(stride); }
};

double kernel(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
  if (x < 2.0) return (((x - 5.0) * x + 8.0) * x - 4.0) * a;
  return 0.0;
}

// For the output pixels begin .. begin + count - 1 of `to`.
Weights make_weights(int from, int to, int begin, int count) {
  double scale = static_cast<double>(from) / to;
  double widen = std::max(scale, 1.0);
  double reach = kReach * widen;
  Weights weights;
  weights.stride = static_cast<int>(std::ceil(reach)) * 2 + 1;
  weights.values.assign(static_cast<size_t>(weights.stride) * static_cast<size_t>(count), 0);
  std::vector<double> row(static_cast<size_t>(weights.stride));
  for (int i = 0; i < count; ++i) {
    double centre = (begin + i + 0.5) * scale;
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

// out_l = sum_j w_j from[j stride + l] for 16 lanes l, rounded and held in 0..255. Both passes are this sum.
// Not inlined: by itself it becomes a widening load, a product and a sum for each j.
[[gnu::noinline]] void sum_lanes(const uint8_t* __restrict from, size_t stride,
                                 const int32_t* __restrict weights, int count, uint8_t* __restrict out) {
  int32_t sums[kLanes];
  std::fill_n(sums, kLanes, 1 << (kWeightBits - 1));
  for (int j = 0; j < count; ++j, from += stride)
    for (int lane = 0; lane < kLanes; ++lane) sums[lane] += from[lane] * weights[j];
  for (int lane = 0; lane < kLanes; ++lane)
    out[lane] = static_cast<uint8_t>(std::clamp(sums[lane] >> kWeightBits, 0, 255));
}

// Rows of bytes, padded so that whole lanes can be read and written.
struct PaddedRows {
  size_t stride;
  std::vector<uint8_t> bytes;

  PaddedRows(int width, int height)
      : stride((size_t(width) * 3 + kLanes - 1) / kLanes * kLanes), bytes(stride * size_t(height)) {}
  uint8_t* row(int y) { return bytes.data() + size_t(y) * stride; }
};

// packed[x] holds pixel x of four rows, 4 bytes each; behind the last row it is repeated.
void pack_rows(const Image& image, int first, uint8_t* packed) {
  for (int row = 0; row < kRowsAtOnce; ++row) {
    const int y = std::min(first + row, image.height - 1);
    const uint8_t* from = image.pixels.data() + size_t(y) * size_t(image.width) * 3;
    uint8_t* to = packed + size_t(row) * 4;
    for (int x = 0; x + 1 < image.width; ++x, from += 3, to += kLanes) std::memcpy(to, from, 4);
    std::memcpy(to, from, 3);  // a fourth byte may be behind the picture
  }
}

// Rows first .. first + count - 1 of the picture, each at its new width.
PaddedRows resize_rows(const Image& image, int first, int count, int width, const Part& part) {
  PaddedRows out(part.width, count);
  if (width == image.width) {
    for (int y = 0; y < count; ++y)
      std::memcpy(out.row(y),
                  image.pixels.data() + (size_t(first + y) * size_t(image.width) + size_t(part.left)) * 3,
                  size_t(part.width) * 3);
    return out;
  }
  const Weights weights = make_weights(image.width, width, part.left, part.width);
  std::vector<uint8_t> packed(size_t(image.width) * kLanes);
  for (int y = 0; y < count; y += kRowsAtOnce) {
    pack_rows(image, first + y, packed.data());
    for (int x = 0; x < part.width; ++x) {
      const Window& window = weights.windows[size_t(x)];
      uint8_t lanes[kLanes];
      sum_lanes(packed.data() + size_t(window.first) * kLanes, kLanes, weights.of(x), window.count, lanes);
      for (int row = 0; row < std::min(kRowsAtOnce, count - y); ++row)
        std::memcpy(out.row(y + row) + size_t(x) * 3, lanes + row * 4, 3);
    }
  }
  return out;
}

void check_sizes(const Image& image, int width, int height, const Part& part) {
  if (width < 1 || height < 1)
    throw ValueError("resize_bicubic: size is ", width, " x ", height, "; expected at least 1 x 1");
  size_t bytes = size_t(std::max(image.width, 0)) * size_t(std::max(image.height, 0)) * 3;
  if (bytes == 0 || image.pixels.size() != bytes)
    throw ValueError("resize_bicubic: image is ", image.width, " x ", image.height, " with ",
                     image.pixels.size(), " bytes; expected width * height * 3 bytes, at least one pixel");
  if (part.width < 1 || part.height < 1 || part.left < 0 || part.top < 0 || part.width > width - part.left ||
      part.height > height - part.top)
    throw ValueError("resize_bicubic: part is ", part.width, " x ", part.height, " at ", part.left, ", ",
                     part.top, "; expected it inside ", width, " x ", height);
}

}  // namespace

Image resize_bicubic(const Image& image, int width, int height) {
  return resize_bicubic_part(image, width, height, {0, 0, width, height});
}

Image resize_bicubic_part(const Image& image, int width, int height, const Part& part) {
  check_sizes(image, width, height, part);
  const bool same_height = height == image.height;
  Weights weights;
  if (!same_height) weights = make_weights(image.height, height, part.top, part.height);
  const int first = same_height ? part.top : weights.windows.front().first;
  const int end =
      same_height ? part.top + part.height : weights.windows.back().first + weights.windows.back().count;
  PaddedRows rows = resize_rows(image, first, end - first, width, part);

  const size_t row_bytes = size_t(part.width) * 3;
  Image out{part.width, part.height, std::vector<uint8_t>(row_bytes * size_t(part.height))};
  for (int y = 0; y < part.height; ++y) {
    uint8_t* to = out.pixels.data() + size_t(y) * row_bytes;
    if (same_height) {
      std::memcpy(to, rows.row(y), row_bytes);
      continue;
    }
    const Window& window = weights.windows[size_t(y)];
    for (size_t at = 0; at < row_bytes; at += kLanes) {
      uint8_t lanes[kLanes];
      sum_lanes(rows.row(window.first - first) + at, rows.stride, weights.of(y), window.count, lanes);
      std::memcpy(to + at, lanes, std::min(size_t{kLanes}, row_bytes - at));
    }
  }
  return out;
}

}  // namespace limoe
