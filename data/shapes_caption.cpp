// A scene in words, and as a JSON record.
#include <nlohmann/json.hpp>

#include "data/shapes.h"

namespace limoe {
namespace {

constexpr const char* kNumbers[] = {"no", "one", "two", "three", "four", "five"};
constexpr int kSolid = 0;

std::string plural(const std::string& name) {
  return name == "cross" ? "crosses" : name + "s";
}

// "three small red striped circles", "an orange star".
std::string group_words(const ShapeGroup& group, int difficulty) {
  std::string words;
  if (difficulty >= 2) words += group.large ? "large " : "small ";
  words += std::string(kShapeColours[size_t(group.colour)]) + " ";
  if (group.texture != kSolid) words += std::string(kShapeTextures[size_t(group.texture)]) + " ";
  std::string name = kShapeNames[size_t(group.shape)];
  if (group.places.size() > 1) return std::string(kNumbers[group.places.size()]) + " " + words + plural(name);
  return (words[0] == 'o' ? "an " : "a ") + words + name;
}

}  // namespace

std::string shape_caption(const ShapeScene& scene) {
  std::string caption = group_words(scene.groups[0], scene.difficulty);
  for (size_t i = 1; i < scene.groups.size(); ++i) {
    std::string relation = kShapeRelations[size_t(scene.relations[i - 1])];
    bool several = scene.groups[i - 1].places.size() > 1;
    caption += i == 1 ? " " : several ? ", which are " : ", which is ";
    caption += relation + " " + group_words(scene.groups[i], scene.difficulty);
  }
  if (scene.difficulty == 5)
    caption += ", on a " + std::string(kShapeBackgrounds[size_t(scene.background)]) + " background";
  return caption;
}

std::string shape_json(const ShapeScene& scene) {
  nlohmann::ordered_json json = {{"difficulty", scene.difficulty},
                                 {"background", kShapeBackgrounds[size_t(scene.background)]},
                                 {"groups", nlohmann::ordered_json::array()},
                                 {"relations", nlohmann::ordered_json::array()}};
  for (const ShapeGroup& group : scene.groups)
    json["groups"].push_back({{"count", group.places.size()},
                              {"size", group.large ? "large" : "small"},
                              {"colour", kShapeColours[size_t(group.colour)]},
                              {"texture", kShapeTextures[size_t(group.texture)]},
                              {"shape", kShapeNames[size_t(group.shape)]}});
  for (int relation : scene.relations) json["relations"].push_back(kShapeRelations[size_t(relation)]);
  return json.dump();
}

}  // namespace limoe
