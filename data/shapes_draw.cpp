// Drawing a scene. Each pixel is the mean of 4 x 4 points, each point coloured by an inside test and a
// texture in the object's own coordinates, where the circumscribed circle has radius 1.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "data/shapes.h"
#include "data/stable_hash.h"
#include "tensor/error.h"

namespace limoe {
namespace {

using Colour = std::array<double, 3>;

constexpr std::array<Colour, 8> kPaint = {Colour{215, 35, 35},   Colour{245, 135, 20}, Colour{242, 208, 25},
                                          Colour{40, 155, 60},   Colour{35, 85, 205},  Colour{125, 50, 165},
                                          Colour{245, 130, 185}, Colour{25, 25, 25}};
constexpr std::array<Colour, 4> kGround = {Colour{255, 255, 255}, Colour{200, 200, 200},
                                           Colour{195, 220, 245}, Colour{205, 235, 200}};
constexpr double kColourJitter = 12;
constexpr int kPoints = 4;  // a side

enum Shape { kCircle, kSquare, kTriangle, kDiamond, kStar, kCross, kHeart, kHexagon };
enum Texture { kSolid, kStriped, kDotted, kCheckered, kOutlined };

// A regular polygon with a corner at the top, by its apothem cos(pi / n).
bool in_polygon(double x, double y, int corners) {
  double sector = 2 * std::numbers::pi / corners;
  double angle = std::atan2(x, -y);
  double from_middle = angle - sector * (std::floor(angle / sector) + 0.5);
  return std::hypot(x, y) * std::cos(from_middle) <= std::cos(sector / 2);
}

// Five points, inner corners at half the radius: between a tip and an inner corner the edge is a line in
// polar coordinates.
bool in_star(double x, double y) {
  constexpr double kInner = 0.5, kHalf = std::numbers::pi / 5;
  double angle = std::abs(std::remainder(std::atan2(x, -y), 2 * kHalf));
  double radius = std::hypot(x, y);
  double px = radius * std::cos(angle), py = radius * std::sin(angle);
  double ex = kInner * std::cos(kHalf) - 1, ey = kInner * std::sin(kHalf);
  return (px - 1) * ey - py * ex <= 0;
}

// Two half discs over a triangle-like foot: (x^2 + y^2 - 1)^3 <= x^2 y^3, scaled into the unit circle.
bool in_heart(double x, double y) {
  double u = x * 1.25, v = -y * 1.25 + 0.05;
  double w = u * u + v * v - 1;
  return w * w * w <= u * u * v * v * v;
}

bool in_shape(int shape, double x, double y) {
  switch (shape) {
    case kCircle:
      return x * x + y * y <= 1;
    case kSquare:
      return std::max(std::abs(x), std::abs(y)) <= std::numbers::sqrt2 / 2;
    case kTriangle:
      return in_polygon(x, y, 3);
    case kDiamond:
      return std::abs(x) / 0.7 + std::abs(y) <= 1;
    case kStar:
      return in_star(x, y);
    case kCross:
      return std::max(std::abs(x), std::abs(y)) <= 0.93 && std::min(std::abs(x), std::abs(y)) <= 0.34;
    case kHeart:
      return in_heart(x, y);
    default:
      return in_polygon(x, y, 6);
  }
}

// How much of the paint is at a point of the object: 1 paint, 0 white, negative nothing. Every texture has a
// rim of paint, about two pixels at 64 x 64, so that its gaps do not eat the shape's edge.
double paint_at(const ShapeGroup& group, double x, double y) {
  constexpr double kPeriod = 0.66, kPale = 0.15, kOpaque = 1;
  if (!in_shape(group.shape, x, y)) return -1;
  double inner = group.large ? 0.8 : 0.66;
  if (!in_shape(group.shape, x / inner, y / inner)) return kOpaque;
  auto phase = [](double v) { return v / kPeriod - std::floor(v / kPeriod); };
  switch (group.texture) {
    case kStriped:
      return phase(y) < 0.5 ? kOpaque : kPale;
    case kCheckered:
      return (phase(x) < 0.5) == (phase(y) < 0.5) ? kOpaque : kPale;
    case kDotted:
      return std::hypot(phase(x) - 0.5, phase(y) - 0.5) < 0.3 ? kPale : kOpaque;
    case kOutlined:
      return -1;
    default:
      return kOpaque;
  }
}

class Canvas {
 public:
  Canvas(int size, const Colour& ground)
      : size_(size), points_(size_t(size) * kPoints * size_t(size) * kPoints, ground) {}

  void draw(const ShapeGroup& group, const ShapePlace& place, const Colour& colour) {
    double scale = double(size_) * kPoints;
    int side = size_ * kPoints;
    auto low = [&](double v) { return std::clamp(static_cast<int>((v - place.radius) * scale), 0, side); };
    auto high = [&](double v) {
      return std::clamp(static_cast<int>((v + place.radius) * scale) + 1, 0, side);
    };
    double cosine = std::cos(place.angle), sine = std::sin(place.angle);
    for (int row = low(place.y); row < high(place.y); ++row)
      for (int column = low(place.x); column < high(place.x); ++column) {
        double dx = ((column + 0.5) / scale - place.x) / place.radius;
        double dy = ((row + 0.5) / scale - place.y) / place.radius;
        double paint = paint_at(group, cosine * dx + sine * dy, cosine * dy - sine * dx);
        if (paint < 0) continue;
        Colour& point = points_[size_t(row) * size_t(side) + size_t(column)];
        for (size_t c = 0; c < 3; ++c) point[c] = 255 + (colour[c] - 255) * paint;
      }
  }

  Image average() const {
    Image image{size_, size_, std::vector<uint8_t>(size_t(size_) * size_t(size_) * 3)};
    int side = size_ * kPoints;
    for (int y = 0; y < size_; ++y)
      for (int x = 0; x < size_; ++x) {
        Colour sum{};
        for (int i = 0; i < kPoints * kPoints; ++i) {
          const Colour& point =
              points_[size_t(y * kPoints + i / kPoints) * size_t(side) + size_t(x * kPoints + i % kPoints)];
          for (size_t c = 0; c < 3; ++c) sum[c] += point[c];
        }
        for (size_t c = 0; c < 3; ++c)
          image.pixels[(size_t(y) * size_t(size_) + size_t(x)) * 3 + c] =
              static_cast<uint8_t>(std::lround(sum[c] / (kPoints * kPoints)));
      }
    return image;
  }

 private:
  int size_;
  std::vector<Colour> points_;
};

Colour jittered(Colour colour, CounterRandom& random) {
  for (double& c : colour) c = std::clamp(c + random.between(-kColourJitter, kColourJitter), 0.0, 255.0);
  return colour;
}

}  // namespace

Image draw_shape_scene(const ShapeScene& scene, int size) {
  if (size < 1) throw ValueError("shapes: size is ", size, "; expected 1 or more pixels");
  CounterRandom random(scene.colour_seed, 0);
  Canvas canvas(size, kGround[size_t(scene.background)]);
  // The last group first: what lies inside another is drawn over it.
  for (size_t g = scene.groups.size(); g-- > 0;)
    for (const ShapePlace& place : scene.groups[g].places)
      canvas.draw(scene.groups[g], place, jittered(kPaint[size_t(scene.groups[g].colour)], random));
  return canvas.average();
}

}  // namespace limoe
