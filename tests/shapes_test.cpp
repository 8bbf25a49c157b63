// Procedural scenes: reproducible, captions true of the geometry, unseen combinations really unseen.
#include "data/shapes.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <set>

#include "data/make.h"
#include "tensor/error.h"
#include "tests/support/shard_fixture.h"

using namespace limoe;

namespace {

constexpr int kScenes = 400;

bool relation_holds(int relation, const ShapePlace& a, const ShapePlace& b) {
  switch (relation) {
    case 0:
      return a.y + a.radius <= b.y - b.radius + 1e-12;
    case 1:
      return a.y - a.radius >= b.y + b.radius - 1e-12;
    case 2:
      return a.x + a.radius <= b.x - b.radius + 1e-12;
    case 3:
      return a.x - a.radius >= b.x + b.radius - 1e-12;
    default:
      return std::hypot(a.x - b.x, a.y - b.y) + a.radius <= 0.35 * b.radius;
  }
}

bool all_hold(int relation, const ShapeGroup& a, const ShapeGroup& b) {
  for (const ShapePlace& p : a.places)
    for (const ShapePlace& q : b.places)
      if (!relation_holds(relation, p, q)) return false;
  return true;
}

// Whether what the caption says of relations and sizes is what the places show.
bool is_true(const ShapeScene& scene) {
  const auto& groups = scene.groups;
  for (const ShapeGroup& group : groups)
    for (const ShapePlace& place : group.places)
      if ((place.radius >= kLargeRadius[0]) != group.large) return false;
  if (groups.size() == 3 && !all_hold(scene.relations[0], groups[0], groups[2])) return false;
  for (size_t i = 0; i + 1 < groups.size(); ++i)
    if (!all_hold(scene.relations[i], groups[i], groups[i + 1])) return false;
  return true;
}

bool inside_picture(const ShapePlace& p) {
  return p.x - p.radius >= -1e-12 && p.x + p.radius <= 1 + 1e-12 && p.y - p.radius >= -1e-12 &&
         p.y + p.radius <= 1 + 1e-12;
}

bool shows_unseen(const ShapeScene& scene, uint64_t seed) {
  return std::any_of(scene.groups.begin(), scene.groups.end(), [&](const ShapeGroup& g) {
    return is_unseen_combination(g.colour, g.shape, g.texture, seed);
  });
}

ShapeScene example() {
  ShapeScene scene{};
  scene.difficulty = 4;
  scene.groups = {{0, 0, 0, false, {{0.2, 0.2, 0.1, 0}, {0.5, 0.2, 0.1, 0}, {0.8, 0.2, 0.1, 0}}},
                  {4, 1, 1, true, {{0.5, 0.7, 0.2, 0}}}};
  scene.relations = {0};
  return scene;
}

}  // namespace

TEST_CASE("a caption says counts, sizes, colours, textures and relations") {
  ShapeScene scene = example();
  CHECK(shape_caption(scene) == "three small red circles above a large blue striped square");
  scene.groups[0].shape = 5;
  CHECK(shape_caption(scene).starts_with("three small red crosses above"));
  scene.difficulty = 5;
  scene.background = 1;
  scene.groups.push_back({1, 4, 4, false, {{0.9, 0.9, 0.1, 0}}});
  scene.relations = {0, 2};
  CHECK(shape_caption(scene) ==
        "three small red crosses above a large blue striped square, which is left of a small orange outlined "
        "star, "
        "on a grey background");
  ShapeScene single{1, 0, {{1, 0, 0, true, {{0.5, 0.5, 0.2, 0}}}}, {}, 0};
  CHECK(shape_caption(single) == "an orange circle");
}

TEST_CASE("captions are true of the geometry at every difficulty") {
  for (int difficulty = 1; difficulty <= 5; ++difficulty)
    for (int64_t i = 0; i < kScenes; ++i) {
      ShapeScene scene = make_shape_scene(7, i, difficulty, i % 2 ? ShapePart::kTrain : ShapePart::kHeldout);
      CAPTURE(shape_caption(scene));
      CHECK(is_true(scene));
      for (const ShapeGroup& group : scene.groups)
        CHECK(std::all_of(group.places.begin(), group.places.end(), inside_picture));
    }
}

TEST_CASE("the check of truth sees a wrong relation, size and place") {
  CHECK(is_true(example()));
  ShapeScene wrong = example();
  wrong.relations = {1};
  CHECK_FALSE(is_true(wrong));
  wrong = example();
  wrong.groups[0].large = true;
  CHECK_FALSE(is_true(wrong));
  wrong = example();
  wrong.groups[0].places[1].y = 0.9;
  CHECK_FALSE(is_true(wrong));
}

TEST_CASE("objects do not overlap unless one is inside another") {
  for (int64_t i = 0; i < kScenes; ++i) {
    ShapeScene scene = make_shape_scene(1, i, 5, ShapePart::kTrain);
    std::vector<ShapePlace> places;
    for (const ShapeGroup& group : scene.groups)
      places.insert(places.end(), group.places.begin(), group.places.end());
    for (size_t a = 0; a < places.size(); ++a)
      for (size_t b = a + 1; b < places.size(); ++b) {
        double apart = std::max(std::abs(places[a].x - places[b].x), std::abs(places[a].y - places[b].y));
        CHECK(apart >= places[a].radius + places[b].radius - 1e-12);
      }
  }
}

TEST_CASE("a scene is a function of seed, index, difficulty and part") {
  for (int difficulty = 1; difficulty <= 5; ++difficulty) {
    ShapeScene a = make_shape_scene(3, 11, difficulty, ShapePart::kTrain);
    ShapeScene b = make_shape_scene(3, 11, difficulty, ShapePart::kTrain);
    CHECK(shape_json(a) == shape_json(b));
    CHECK(draw_shape_scene(a, 32).pixels == draw_shape_scene(b, 32).pixels);
    CHECK(draw_shape_scene(a, 32).pixels !=
          draw_shape_scene(make_shape_scene(4, 11, difficulty, ShapePart::kTrain), 32).pixels);
    CHECK(draw_shape_scene(a, 32).pixels !=
          draw_shape_scene(make_shape_scene(3, 12, difficulty, ShapePart::kTrain), 32).pixels);
  }
}

TEST_CASE("training never shows an unseen combination, every held-out scene does") {
  for (int difficulty = 1; difficulty <= 5; ++difficulty)
    for (int64_t i = 0; i < kScenes; ++i) {
      CHECK_FALSE(shows_unseen(make_shape_scene(5, i, difficulty, ShapePart::kTrain), 5));
      CHECK(shows_unseen(make_shape_scene(5, i, difficulty, ShapePart::kHeldout), 5));
    }
}

TEST_CASE("every pair of parts is seen in training") {
  for (uint64_t seed : {0, 1, 2, 3}) {
    std::set<std::pair<int, int>> colour_shape, colour_texture, shape_texture;
    int unseen = 0;
    for (int c = 0; c < 8; ++c)
      for (int s = 0; s < 8; ++s)
        for (int t = 0; t < 5; ++t) {
          if (is_unseen_combination(c, s, t, seed)) {
            ++unseen;
            continue;
          }
          colour_shape.emplace(c, s);
          colour_texture.emplace(c, t);
          shape_texture.emplace(s, t);
        }
    CHECK(unseen == 40);
    CHECK(colour_shape.size() == 64);
    CHECK(colour_texture.size() == 40);
    CHECK(shape_texture.size() == 40);
  }
}

TEST_CASE("groups of one scene differ in colour or shape, and the inner of two in colour") {
  int inside = 0;
  for (int64_t i = 0; i < kScenes; ++i) {
    ShapeScene scene = make_shape_scene(2, i, 3, ShapePart::kTrain);
    const auto &a = scene.groups[0], &b = scene.groups[1];
    CHECK((a.colour != b.colour || a.shape != b.shape));
    if (scene.relations[0] != 4) continue;
    ++inside;
    CHECK(a.colour != b.colour);
  }
  CHECK(inside > kScenes / 10);
}

TEST_CASE("a drawn circle has its colour in the middle and the background's around it") {
  ShapeScene scene{1, 0, {{4, 0, 0, true, {{0.5, 0.5, 0.2, 0}}}}, {}, 9};
  Image image = draw_shape_scene(scene, 50);
  const uint8_t* middle = image.pixels.data() + (25 * 50 + 25) * 3;
  CHECK(int(middle[2]) > 180);
  CHECK(int(middle[0]) < 60);
  int painted = 0;
  for (size_t i = 0; i < image.pixels.size(); i += 3) painted += image.pixels[i] < 150;
  CHECK(std::abs(painted - 3.14159 * 10 * 10) < 20);
  CHECK(int(image.pixels[0]) == 255);
}

TEST_CASE("wrong arguments are refused") {
  CHECK_THROWS_AS(make_shape_scene(0, 0, 0, ShapePart::kTrain), ValueError);
  CHECK_THROWS_AS(make_shape_scene(0, 0, 6, ShapePart::kTrain), ValueError);
  CHECK_THROWS_AS(make_shape_scene(0, -1, 3, ShapePart::kTrain), ValueError);
  CHECK_THROWS_AS(draw_shape_scene(example(), 0), ValueError);
  MakeOptions options;
  options.out = "/nowhere/shapes";
  options.count = -4;
  CHECK_THROWS_AS(make_shapes(options), ValueError);
}

TEST_CASE("the maker writes train and held-out shards with classes where a scene has one object") {
  testing::ScratchFolder folder;
  MakeOptions options;
  options.count = 30;
  options.size = 24;
  options.difficulty = 2;
  options.out = folder / "two";
  make_shapes(options);
  CHECK(read_tar_index(options.out + "/train/0.tar").size() == 30 * 4);
  CHECK(read_tar_index(options.out + "/heldout/0.tar").size() == 3 * 4);
  CHECK(std::filesystem::exists(options.out + "/classnames.txt"));
  options.difficulty = 4;
  options.out = folder / "four";
  make_shapes(options);
  CHECK(read_tar_index(options.out + "/train/0.tar").size() == 30 * 3);
  CHECK_FALSE(std::filesystem::exists(options.out + "/classnames.txt"));
  CHECK(std::filesystem::exists(options.out + "/SOURCES.md"));
}
