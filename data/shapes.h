// Procedural scenes of shapes with captions that are true and complete: an endless data set that needs no
// package.
//
// Scene i of (seed, part, difficulty) is a pure function of these, so any scene can be made again alone.
//
//   difficulty 1   "a red circle"                                   one solid object
//              2   "a large blue striped square"                    and size, texture
//              3   "a small red circle above a large blue square"   two objects and a relation, "inside"
//              among them 4   "three small red circles left of two large blue striped squares"    counts 5
//              "... above a green star, which is left of two hearts, on a grey background"    three groups
//
// Whatever varies at a difficulty is said in the caption; solid is said by naming no texture, a count of one
// by "a". Groups of one scene differ in colour or shape.
//
// Unseen combinations of seen parts: of the 8 x 8 x 5 triples (colour c, shape s, texture t) those with c + 3
// s + 5 t + h(seed) = 0 mod 8 never occur in training, and every held-out scene shows one. As 3 and 5 are
// odd, each pair of parts is still seen in training: (c, t) with seven shapes, (s, t) with seven colours, (c,
// s) with at least four textures. At difficulty 1 only the solid triples count.
//
// Coordinates: x to the right, y down, the picture is the unit square.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "data/image.h"

namespace limoe {

constexpr std::array<const char*, 8> kShapeColours = {"red",  "orange", "yellow", "green",
                                                      "blue", "purple", "pink",   "black"};
constexpr std::array<const char*, 8> kShapeNames = {"circle", "square", "triangle", "diamond",
                                                    "star",   "cross",  "heart",    "hexagon"};
constexpr std::array<const char*, 5> kShapeTextures = {"solid", "striped", "dotted", "checkered", "outlined"};
constexpr std::array<const char*, 5> kShapeRelations = {"above", "below", "left of", "right of", "inside"};
constexpr std::array<const char*, 4> kShapeBackgrounds = {"white", "grey", "light blue", "light green"};

enum class ShapePart { kTrain, kHeldout };

// The shape's circumscribed circle lies within the picture and overlaps no other, except inside its host.
struct ShapePlace {
  double x, y, radius;
  double angle;  // radians, within 8 degrees, so that no square becomes a diamond
};

struct ShapeGroup {
  int colour, shape, texture;  // into the names above
  bool large;
  std::vector<ShapePlace> places;
};

struct ShapeScene {
  int difficulty;
  int background;
  std::vector<ShapeGroup> groups;  // one to three
  std::vector<int>
      relations;         // relations[i] is that of groups[i] to groups[i + 1] (for i = 0: to all others)
  uint64_t colour_seed;  // of the small differences between two reds
};

// Radii that "small" and "large" stand for.
constexpr double kSmallRadius[2] = {0.085, 0.11};
constexpr double kLargeRadius[2] = {0.18, 0.225};
constexpr double kHostRadius[2] = {0.36, 0.45};  // large too: what another object lies inside of

constexpr int kShapesSize = 64;
constexpr int64_t kShapesCount = 10'000;

// Whether training never shows this triple.
bool is_unseen_combination(int colour, int shape, int texture, uint64_t seed);

// ValueError unless 1 <= difficulty <= 5 and index >= 0.
ShapeScene make_shape_scene(uint64_t seed, int64_t index, int difficulty, ShapePart part);

std::string shape_caption(const ShapeScene& scene);
std::string shape_json(const ShapeScene& scene);

// Antialiased, 4 x 4 points a pixel.
Image draw_shape_scene(const ShapeScene& scene, int size);

}  // namespace limoe
