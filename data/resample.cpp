#include "data/resample.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace limoe {
namespace {

// For each output pixel `taps` input pixels and their weights.
struct Filter {
  int taps = 0;
  std::vector<int> index;     // [size, taps]
  std::vector<float> weight;  // [size, taps]
};

void make_filter(double begin, double length, int size, int limit, Filter& filter) {
  const double scale = length / size;
  const double reach = std::max(scale, 1.0);
  filter.taps = 2 * static_cast<int>(std::ceil(reach)) + 1;
  const std::size_t count = static_cast<std::size_t>(size) * static_cast<std::size_t>(filter.taps);
  filter.index.resize(count);
  filter.weight.resize(count);
  for (int i = 0; i < size; ++i) {
    const double centre = begin + (i + 0.5) * scale;
    const int first = static_cast<int>(std::floor(centre - reach));
    int* index = &filter.index[static_cast<std::size_t>(i * filter.taps)];
    float* weight = &filter.weight[static_cast<std::size_t>(i * filter.taps)];
    double sum = 0;
    for (int tap = 0; tap < filter.taps; ++tap) {
      const double w = std::max(0.0, 1.0 - std::abs(first + tap + 0.5 - centre) / reach);
      index[tap] = std::clamp(first + tap, 0, limit - 1);
      weight[tap] = static_cast<float>(w);
      sum += w;
    }
    for (int tap = 0; tap < filter.taps; ++tap) weight[tap] = static_cast<float>(weight[tap] / sum);
  }
}

// column[x, c] = sum_j wy[j] image[j, x, c] for the columns [first, last)
void blend_rows(const Image& image, const Filter& rows, int y, int first, int last, float* column) {
  const std::size_t begin = static_cast<std::size_t>(first) * 3, end = static_cast<std::size_t>(last) * 3;
  std::fill(column + begin, column + end, 0.0f);
  for (int tap = 0; tap < rows.taps; ++tap) {
    const std::size_t at = static_cast<std::size_t>(y * rows.taps + tap);
    const float weight = rows.weight[at];
    if (weight == 0.0f) continue;
    const uint8_t* row =
        &image.pixels[static_cast<std::size_t>(rows.index[at]) * static_cast<std::size_t>(image.width) * 3];
    for (std::size_t i = begin; i < end; ++i) column[i] += weight * row[i];
  }
}

void blend_columns(const float* column, const Filter& columns, int size, bool flip, float* out) {
  for (int x = 0; x < size; ++x) {
    const std::size_t at = static_cast<std::size_t>((flip ? size - 1 - x : x) * columns.taps);
    float red = 0, green = 0, blue = 0;
    for (std::size_t tap = at; tap < at + static_cast<std::size_t>(columns.taps); ++tap) {
      const float weight = columns.weight[tap];
      const float* pixel = column + static_cast<std::size_t>(columns.index[tap]) * 3;
      red += weight * pixel[0];
      green += weight * pixel[1];
      blue += weight * pixel[2];
    }
    *out++ = red;
    *out++ = green;
    *out++ = blue;
  }
}

}  // namespace

Box centred_square(const Image& image) {
  const double side = std::min(image.width, image.height);
  return {.x = (image.width - side) / 2, .y = (image.height - side) / 2, .width = side, .height = side};
}

void resample(const Image& image, const Box& box, int size, float* out) {
  Filter rows, columns;
  make_filter(box.y, box.height, size, image.height, rows);
  make_filter(box.x, box.width, size, image.width, columns);
  const auto [first, last] = std::minmax_element(columns.index.begin(), columns.index.end());
  std::vector<float> column(static_cast<std::size_t>(image.width) * 3);
  for (int y = 0; y < size; ++y) {
    blend_rows(image, rows, y, *first, *last + 1, column.data());
    blend_columns(column.data(), columns, size, box.flip, out + static_cast<std::ptrdiff_t>(y) * size * 3);
  }
}

}  // namespace limoe
