#include <algorithm>

#include "models/report/html.h"
#include "models/report/palette.h"
#include "models/report/sections.h"
#include "models/train/expert_favourites.h"
#include "models/train/readable.h"

namespace limoe {
namespace {

constexpr FavouriteOptions kListed{.patches = 8, .words = 10, .least_occurrences = 3};
constexpr size_t kMostOpen = 32;     // experts on the page before layers are folded away
constexpr double kShownPatches = 3;  // a side: a patch with its neighbours

std::string percent(double share) {
  return short_number(100 * share, share < 0.0995 ? 1 : 0) + " %";
}

// The patch in its surroundings, which are paled.
std::string patch_html(const ReportPairs& pairs, const ImageExperts& view, const FavouritePatch& patch,
                       PictureStore& pictures) {
  const double width = kPictureUnits / double(view.columns), height = kPictureUnits / double(view.rows);
  const double shown = std::min({kShownPatches, double(view.columns), double(view.rows)});
  const double left = std::clamp(double(patch.column) - 1, 0.0, double(view.columns) - shown) * width;
  const double top = std::clamp(double(patch.row) - 1, 0.0, double(view.rows) - shown) * height;
  const std::string frame = "M" + short_number(double(patch.column) * width, 3) + " " +
                            short_number(double(patch.row) * height, 3) + "h" + short_number(width, 3) + "v" +
                            short_number(height, 3) + "h-" + short_number(width, 3) + "z";
  const std::string overlay =
      "<path class=\"pale\" d=\"M0 0H100V100H0Z" + frame + "\"/><path class=\"frame\" d=\"" + frame + "\"/>";
  const std::string view_box = short_number(left, 3) + " " + short_number(top, 3) + " " +
                               short_number(shown * width, 3) + " " + short_number(shown * height, 3);
  const std::string& caption = pairs.captions[size_t(patch.image)];
  return picture_html(pictures.add(pairs.images[size_t(patch.image)]),
                      caption + ", gate " + with_decimals(patch.gate, 2), overlay, view_box);
}

std::string words_html(const Favourites& favourites) {
  if (favourites.words.empty()) return "<p class=\"note\">no word</p>";
  std::string html = "<p class=\"favourite-words\">";
  for (const FavouriteWord& word : favourites.words)
    html += "<span class=\"piece\" style=\"--gate:" + short_number(word.share, 2) + "\" title=\"" +
            short_number(100 * word.share, 0) + " % of it, " + grouped_digits(word.occurrences) +
            " times\">" + (word.special ? "<i>end</i>" : escaped(word.text)) + "</span> ";
  return html + "</p>";
}

std::string expert_html(const ReportPairs& pairs, const std::vector<ImageExperts>& views, int64_t expert,
                        const Favourites& favourites, PictureStore& pictures) {
  std::string html = "<article class=\"favourite " + expert_class(expert) + "\"><h4><span class=\"swatch\">" +
                     std::to_string(expert) + "</span> <small>" + percent(favourites.image_load) +
                     " of patches, " + percent(favourites.text_load) +
                     " of text</small></h4><div class=\"patches\">";
  for (const FavouritePatch& patch : favourites.patches)
    html += patch_html(pairs, views[size_t(patch.image)], patch, pictures);
  if (favourites.patches.empty()) html += "<p class=\"note\">no patch</p>";
  return html + "</div>" + words_html(favourites) + "</article>\n";
}

}  // namespace

std::string favourites_section(const ReportSource& source, PictureStore& pictures) {
  const char* kHeading = "What every expert likes best";
  const auto missing = [&](const std::string& why) {
    return html_section("favourites", kHeading, "", html_missing(why));
  };
  if (source.is_dense()) return missing("This model is dense: it has no experts.");
  if (!source.loaded) return missing("No model: " + source.no_model);
  const ReportPairs* pairs = source.training.size() > 0 ? &source.training : source.example_pairs();
  if (!pairs) return missing("None of the run's data can be read, so there are no pictures to show.");
  const auto images = experts_of_images(*source.loaded->model, pairs->images);
  const auto texts = experts_of_texts(*source.loaded->model, *source.loaded->tokenizer, pairs->captions);
  const auto table = favourites_of(images, texts, source.model_config.experts, kListed);
  const std::vector<int64_t> blocks = moe_block_indices(source.model_config);
  const bool all_open = table.size() * size_t(source.model_config.experts) <= kMostOpen;
  std::string body;
  for (size_t layer = 0; layer < table.size(); ++layer) {
    body += std::string("<details") + (all_open || layer + 1 == table.size() ? " open" : "") +
            "><summary>Block " + std::to_string(blocks[layer]) + "</summary><div class=\"favourites\">";
    for (size_t expert = 0; expert < table[layer].size(); ++expert)
      body += expert_html(*pairs, images, int64_t(expert), table[layer][expert], pictures);
    body += "</div></details>\n";
  }
  return html_section(
      "favourites", kHeading,
      "Over " + grouped_digits(int64_t(pairs->size())) + " of the " + grouped_digits(pairs->all) + " " +
          escaped(pairs->name) +
          ": the framed patches it takes with the largest gates, one of a picture, and the words "
          "that give it most of themselves, of those that occur at least three times.",
      body);
}

}  // namespace limoe
