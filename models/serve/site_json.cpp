#include "models/serve/site_json.h"

#include <cmath>
#include <filesystem>

#include "models/report/palette.h"
#include "models/serve/site.h"

namespace limoe {
namespace {

using nlohmann::ordered_json;

// Three decimals are what a page shows.
double rounded(double value) {
  return std::round(value * 1000) / 1000;
}

ordered_json layers_json(const Collection& collection, const ExpertChoices& choices) {
  ordered_json layers = ordered_json::array();
  for (size_t layer = 0; layer < choices.layers(); ++layer) {
    ordered_json experts = ordered_json::array(), gates = experts, dropped = experts;
    for (int64_t token = 0; token < choices.tokens(); ++token) {
      ordered_json expert = ordered_json::array(), gate = expert, drop = expert;
      for (int64_t k = 0; k < choices.per_token(); ++k) {
        const ExpertChoice& choice = choices.at(layer, token, k);
        expert.push_back(choice.expert);
        gate.push_back(rounded(double(choice.gate)));
        drop.push_back(choice.dropped);
      }
      experts.push_back(expert);
      gates.push_back(gate);
      dropped.push_back(drop);
    }
    layers.push_back({{"block", collection.blocks()[layer]},
                      {"experts", experts},
                      {"gates", gates},
                      {"dropped", dropped}});
  }
  return layers;
}

ordered_json layer_loads_json(const Collection& collection) {
  ordered_json layers = ordered_json::array();
  for (size_t layer = 0; layer < collection.favourites().size(); ++layer) {
    ordered_json image = ordered_json::array(), text = image;
    for (const Favourites& expert : collection.favourites()[layer]) {
      image.push_back(rounded(expert.image_load));
      text.push_back(rounded(expert.text_load));
    }
    layers.push_back({{"block", collection.blocks()[layer]}, {"image_load", image}, {"text_load", text}});
  }
  return layers;
}

ordered_json colors_json(int64_t experts) {
  ordered_json colors = ordered_json::array();
  for (int64_t expert = 0; expert < experts; ++expert) colors.push_back(expert_color(expert));
  return colors;
}

ordered_json sources_json(const Gallery& gallery) {
  std::vector<std::pair<std::string, int64_t>> counts;
  for (int64_t i = 0; i < gallery.size(); ++i) {
    if (counts.empty() || counts.back().first != gallery.source(i)) counts.emplace_back(gallery.source(i), 0);
    ++counts.back().second;
  }
  ordered_json sources = ordered_json::array();
  for (const auto& [name, pictures] : counts) sources.push_back({{"name", name}, {"pictures", pictures}});
  return sources;
}

}  // namespace

ordered_json info_json(const Collection& collection, const std::string& name, const std::string& version) {
  const LimoeConfig& config = collection.config();
  const LoadedModel& loaded = collection.loaded();
  const bool dense = collection.blocks().empty();
  return {{"run", name},
          {"checkpoint", std::filesystem::path(loaded.path).filename().string()},
          {"step", loaded.step},
          {"version", version},
          {"pictures", collection.gallery().size()},
          {"sources", sources_json(collection.gallery())},
          {"rows", config.image_size / config.patch_size},
          {"columns", config.image_size / config.patch_size},
          {"image_size", config.image_size},
          {"text_length", config.text_length},
          {"blocks", config.layers},
          {"dense", dense},
          {"experts", dense ? 0 : config.experts},
          {"experts_per_token", dense ? 0 : config.experts_per_token},
          {"colors", colors_json(dense ? 0 : config.experts)},
          {"layers", layer_loads_json(collection)},
          {"limits", {{"phrase_bytes", kLongestPhrase}, {"top", kMostResults}}}};
}

ordered_json result_json(const Collection& collection, int64_t picture, const ordered_json& score) {
  return {{"picture", picture},
          {"score", score},
          {"caption", collection.gallery().caption(picture)},
          {"source", collection.gallery().source(picture)}};
}

ordered_json text_json(const Collection& collection, const TextExperts& view) {
  ordered_json words = ordered_json::array();
  for (const Word& word : view.words)
    words.push_back(
        {{"text", word.text}, {"first", word.first}, {"count", word.count}, {"special", word.special}});
  return {{"pieces", view.pieces}, {"words", words}, {"layers", layers_json(collection, view.choices)}};
}

ordered_json picture_json(const Collection& collection, int64_t picture) {
  const ImageExperts& view = collection.experts_of_picture(picture);
  return {{"picture", picture},
          {"caption", collection.gallery().caption(picture)},
          {"source", collection.gallery().source(picture)},
          {"rows", view.rows},
          {"columns", view.columns},
          {"layers", layers_json(collection, view.choices)},
          {"text", text_json(collection, collection.experts_of_caption(picture))}};
}

ordered_json expert_json(const Collection& collection, size_t layer, int64_t expert) {
  const Favourites& favourites = collection.favourites()[layer][size_t(expert)];
  ordered_json patches = ordered_json::array(), words = patches;
  for (const FavouritePatch& patch : favourites.patches)
    patches.push_back({{"picture", patch.image},
                       {"row", patch.row},
                       {"column", patch.column},
                       {"gate", rounded(double(patch.gate))},
                       {"caption", collection.gallery().caption(patch.image)}});
  for (const FavouriteWord& word : favourites.words)
    words.push_back({{"text", word.text},
                     {"share", rounded(word.share)},
                     {"occurrences", word.occurrences},
                     {"special", word.special}});
  return {{"layer", collection.blocks()[layer]},
          {"expert", expert},
          {"image_load", rounded(favourites.image_load)},
          {"text_load", rounded(favourites.text_load)},
          {"patches", patches},
          {"words", words}};
}

}  // namespace limoe
