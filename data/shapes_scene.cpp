// What is in a scene and where.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "data/shapes.h"
#include "data/stable_hash.h"
#include "tensor/error.h"

namespace limoe {
namespace {

constexpr int kAbove = 0, kBelow = 1, kLeftOf = 2, kRightOf = 3, kInside = 4;
constexpr int kMaxDifficulty = 5;
constexpr double kMaxAngle = 8.0 * std::numbers::pi / 180.0;

struct Box {
  double x, y, width, height;
};

struct Halves {
  Box first, second;
};

// Where two groups go for "first RELATION second".
Halves cut(const Box& box, int relation) {
  bool rows = relation == kAbove || relation == kBelow;
  Box low = box, high = box;
  (rows ? low.height : low.width) /= 2;
  (rows ? high.height : high.width) /= 2;
  (rows ? high.y : high.x) += rows ? low.height : low.width;
  bool first_is_low = relation == kAbove || relation == kLeftOf;
  return first_is_low ? Halves{low, high} : Halves{high, low};
}

double slot_side(bool large) {
  return 2 * (large ? kLargeRadius[1] : kSmallRadius[1]);
}

int most_that_fit(const Box& box, bool large) {
  double side = slot_side(large);
  return static_cast<int>(box.width / side) * static_cast<int>(box.height / side);
}

class SceneMaker {
 public:
  SceneMaker(uint64_t seed, int64_t index, int difficulty, ShapePart part)
      : seed_(seed),
        random_(mix64(seed) + static_cast<uint64_t>(difficulty * 2 + (part == ShapePart::kHeldout)),
                static_cast<uint64_t>(index)),
        part_(part) {
    scene_.difficulty = difficulty;
    scene_.background = difficulty == 5 ? random_.below(static_cast<int>(kShapeBackgrounds.size())) : 0;
    scene_.colour_seed = random_.bits();
  }

  ShapeScene make() {
    int groups = scene_.difficulty <= 2 ? 1 : scene_.difficulty <= 4 ? 2 : 3;
    choose_groups(groups);
    if (groups == 1) place(scene_.groups[0], {0, 0, 1, 1}, 1);
    if (groups == 2) place_two();
    if (groups == 3) place_three();
    return scene_;
  }

 private:
  // Held-out scenes show an unseen combination in one group, chosen at random; every other is a seen one.
  void choose_groups(int count) {
    int unseen = part_ == ShapePart::kHeldout ? random_.below(count) : -1;
    while (static_cast<int>(scene_.groups.size()) < count) {
      ShapeGroup group{random_.below(8), random_.below(8), 0, true, {}};
      if (scene_.difficulty >= 2) {
        group.texture = random_.below(static_cast<int>(kShapeTextures.size()));
        group.large = random_.below(2) == 1;
      }
      bool want_unseen = static_cast<int>(scene_.groups.size()) == unseen;
      bool confusable = std::any_of(scene_.groups.begin(), scene_.groups.end(), [&](const ShapeGroup& other) {
        return other.colour == group.colour && other.shape == group.shape;
      });
      if (!confusable &&
          is_unseen_combination(group.colour, group.shape, group.texture, seed_) == want_unseen)
        scene_.groups.push_back(group);
    }
  }

  int count_for(const ShapeGroup& group, const Box& box) {
    constexpr int kMaxCount = 5;
    return scene_.difficulty < 4 ? 1
                                 : 1 + random_.below(std::min(kMaxCount, most_that_fit(box, group.large)));
  }

  void place_two() {
    int relation = random_.below(static_cast<int>(kShapeRelations.size()));
    scene_.relations = {relation};
    if (relation == kInside && scene_.groups[0].colour != scene_.groups[1].colour) return place_inside();
    if (relation == kInside) scene_.relations[0] = relation = kAbove;  // red on red could not be seen
    Halves halves = cut({0, 0, 1, 1}, relation);
    place(scene_.groups[0], halves.first, count_for(scene_.groups[0], halves.first));
    place(scene_.groups[1], halves.second, count_for(scene_.groups[1], halves.second));
  }

  void place_three() {
    int relation = random_.below(4);
    int crosswise = relation < 2 ? kLeftOf + random_.below(2) : kAbove + random_.below(2);
    scene_.relations = {relation, crosswise};
    Halves halves = cut({0, 0, 1, 1}, relation);
    Halves quarters = cut(halves.second, crosswise);
    const Box* boxes[] = {&halves.first, &quarters.first, &quarters.second};
    for (size_t i = 0; i < 3; ++i) place(scene_.groups[i], *boxes[i], count_for(scene_.groups[i], *boxes[i]));
  }

  // A small object in the middle of a large one: every shape holds a circle of 0.3 of its radius there.
  void place_inside() {
    ShapeGroup &inner = scene_.groups[0], &outer = scene_.groups[1];
    inner.large = false;
    outer.large = true;
    double radius = random_.between(kHostRadius[0], kHostRadius[1]);
    ShapePlace host{random_.between(radius, 1 - radius), random_.between(radius, 1 - radius), radius,
                    angle()};
    outer.places = {host};
    inner.places = {{host.x, host.y, random_.between(kSmallRadius[0], kSmallRadius[1]), angle()}};
  }

  double angle() { return random_.between(-kMaxAngle, kMaxAngle); }

  // Slots in rows of equal size, each object anywhere in its own.
  void place(ShapeGroup& group, const Box& box, int count) {
    int columns = std::min(count, static_cast<int>(box.width / slot_side(group.large)));
    int rows = (count + columns - 1) / columns;
    double width = box.width / columns, height = box.height / rows;
    for (int i = 0; i < count; ++i) {
      const double* range = group.large ? kLargeRadius : kSmallRadius;
      double radius = random_.between(range[0], range[1]);
      double left = box.x + (i % columns) * width, top = box.y + (i / columns) * height;
      group.places.push_back({random_.between(left + radius, left + width - radius),
                              random_.between(top + radius, top + height - radius), radius, angle()});
    }
  }

  uint64_t seed_;
  CounterRandom random_;
  ShapePart part_;
  ShapeScene scene_{};
};

}  // namespace

bool is_unseen_combination(int colour, int shape, int texture, uint64_t seed) {
  return (static_cast<uint64_t>(colour + 3 * shape + 5 * texture) + stable_hash("shapes", seed)) % 8 == 0;
}

ShapeScene make_shape_scene(uint64_t seed, int64_t index, int difficulty, ShapePart part) {
  if (difficulty < 1 || difficulty > kMaxDifficulty)
    throw ValueError("shapes: difficulty is ", difficulty, "; expected 1 to ", kMaxDifficulty);
  if (index < 0) throw ValueError("shapes: index is ", index, "; expected 0 or more");
  return SceneMaker(seed, index, difficulty, part).make();
}

}  // namespace limoe
