#include "data/photo_texture.h"

#include <algorithm>
#include <cmath>

#include "tensor/error.h"

namespace limoe {
namespace {

constexpr int kOctaves = 7;
constexpr int kDiscs = 9;
constexpr float kFalloff =
    0.65f;                    // of the amplitude from an octave to the next; natural scenes have about 0.5
constexpr float kGrain = 24;  // of 255

// A number in [0, 1) for a point of a lattice (finaliser of MurmurHash3).
float lattice(uint32_t x, uint32_t y, uint32_t seed) {
  uint32_t h = x * 0x9e3779b1u ^ y * 0x85ebca77u ^ seed * 0xc2b2ae3du;
  h = (h ^ (h >> 16)) * 0x85ebca6bu;
  h = (h ^ (h >> 13)) * 0xc2b2ae35u;
  return static_cast<float>((h ^ (h >> 16)) >> 8) / static_cast<float>(1 << 24);
}

// Bilinear between the points of a lattice with `cell` pixels to a side.
float smooth_noise(int x, int y, int cell, uint32_t seed) {
  const auto column = static_cast<uint32_t>(x / cell), row = static_cast<uint32_t>(y / cell);
  const float right = static_cast<float>(x % cell) / static_cast<float>(cell);
  const float down = static_cast<float>(y % cell) / static_cast<float>(cell);
  const float above = lattice(column, row, seed) * (1 - right) + lattice(column + 1, row, seed) * right;
  const float below =
      lattice(column, row + 1, seed) * (1 - right) + lattice(column + 1, row + 1, seed) * right;
  return above * (1 - down) + below * down;
}

// Octave o has cells of 128 >> o pixels.
float cloud(int x, int y, uint32_t seed) {
  float sum = 0, weight = 1, weights = 0;
  for (int octave = 0; octave < kOctaves; ++octave, weight *= kFalloff) {
    sum += weight * smooth_noise(x, y, 128 >> octave, seed + static_cast<uint32_t>(octave));
    weights += weight;
  }
  return sum / weights;
}

// Which disc covers the point, -1: none.
int disc_at(int x, int y, int width, int height, uint32_t seed) {
  for (uint32_t disc = 0; disc < kDiscs; ++disc) {
    const float side = static_cast<float>(std::min(width, height));
    const float dx = static_cast<float>(x) - lattice(disc, 0, seed) * static_cast<float>(width);
    const float dy = static_cast<float>(y) - lattice(disc, 1, seed) * static_cast<float>(height);
    const float radius = (0.05f + 0.15f * lattice(disc, 2, seed)) * side;
    if (dx * dx + dy * dy < radius * radius) return static_cast<int>(disc);
  }
  return -1;
}

}  // namespace

Image photo_texture(int width, int height, uint32_t seed) {
  if (width < 1 || height < 1)
    throw ValueError("photo_texture: size is ", width, " x ", height, "; expected at least 1 x 1");
  Image image{width, height, {}};
  image.pixels.reserve(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const float light = cloud(x, y, seed * 64);
      const int disc = disc_at(x, y, width, height, seed);
      for (uint32_t channel = 0; channel < 3; ++channel) {
        const float tint = smooth_noise(x, y, 96, seed * 64 + 16 + channel);
        const float paint = disc < 0 ? 0 : lattice(static_cast<uint32_t>(disc), 3 + channel, seed) - 0.5f;
        const float grain =
            lattice(static_cast<uint32_t>(x), static_cast<uint32_t>(y), seed * 64 + 32 + channel) - 0.5f;
        const float value = 255 * (1.2f * light + 0.5f * tint - 0.35f + 0.6f * paint) + kGrain * grain;
        image.pixels.push_back(static_cast<uint8_t>(std::clamp(value, 0.0f, 255.0f)));
      }
    }
  return image;
}

}  // namespace limoe
