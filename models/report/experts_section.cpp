#include <algorithm>

#include "models/report/html.h"
#include "models/report/palette.h"
#include "models/report/sections.h"
#include "models/train/expert_view.h"
#include "models/train/readable.h"

namespace limoe {
namespace {

constexpr int64_t kExamples = 8;
constexpr double kLargestLetters = 10.5;  // in a patch
constexpr int64_t kMostNumbered = 8;      // patches a side: smaller ones have no room for a number

std::string told(const ExpertChoice& choice) {
  return "expert " + std::to_string(choice.expert) + ", gate " + with_decimals(choice.gate, 2) +
         (choice.dropped ? ", dropped" : "");
}

std::string told(const ExpertChoices& choices, size_t layer, int64_t token) {
  std::string text;
  for (int64_t k = 0; k < choices.per_token(); ++k)
    text += (text.empty() ? "" : "; ") + told(choices.at(layer, token, k));
  return text;
}

std::string patch_svg(const ImageExperts& view, size_t layer, int64_t row, int64_t column) {
  const double width = kPictureUnits / double(view.columns), height = kPictureUnits / double(view.rows);
  const ExpertChoice& choice = view.at(layer, row, column);
  std::string svg = "<g class=\"patch " + expert_class(choice.expert) + (choice.dropped ? " dropped" : "") +
                    "\"><title>" + told(view.choices, layer, row * view.columns + column) +
                    "</title><rect x=\"" + short_number(double(column) * width, 3) + "\" y=\"" +
                    short_number(double(row) * height, 3) + "\" width=\"" + short_number(width, 3) +
                    "\" height=\"" + short_number(height, 3) + "\" fill-opacity=\"" +
                    short_number(0.28 + 0.37 * choice.gate, 2) + "\"/>";
  const double letters = std::min(kLargestLetters, 0.45 * width);
  if (view.columns <= kMostNumbered)
    svg += "<text style=\"font-size:" + short_number(letters, 1) + "px\" x=\"" +
           short_number((double(column) + 0.5) * width, 2) + "\" y=\"" +
           short_number((double(row) + 0.5) * height + 0.36 * letters, 2) + "\">" +
           (choice.dropped ? "×" : std::to_string(choice.expert)) + "</text>";
  return svg + "</g>";
}

std::string tinted_picture(const ImageExperts& view, size_t layer, const std::string& id,
                           const std::string& caption) {
  std::string overlay;
  for (int64_t row = 0; row < view.rows; ++row)
    for (int64_t column = 0; column < view.columns; ++column) overlay += patch_svg(view, layer, row, column);
  return picture_html(id, caption, overlay, "0 0 100 100", "tinted");
}

std::string piece_html(const TextExperts& view, size_t layer, int64_t token, const std::string& text,
                       bool numbered) {
  const ExpertChoice& choice = view.choices.at(layer, token);
  return "<span class=\"piece " + expert_class(choice.expert) + (choice.dropped ? " dropped" : "") +
         "\" style=\"--gate:" + short_number(choice.gate, 2) + "\" title=\"" +
         told(view.choices, layer, token) + "\">" + text +
         (numbered ? "<sub>" + std::to_string(choice.expert) + "</sub>" : "") + "</span>";
}

// A word whose pieces went to one expert is shown whole, otherwise piece by piece.
std::string word_html(const TextExperts& view, size_t layer, const Word& word) {
  if (word.special)
    return "<span class=\"word\">" + piece_html(view, layer, word.first, "<i>end</i>", true) + "</span> ";
  bool together = true;
  for (int64_t token = word.first; token < word.first + word.count; ++token)
    together = together && view.choices.at(layer, token).expert == view.choices.at(layer, word.first).expert;
  std::string html;
  if (together) {
    html = piece_html(view, layer, word.first, escaped(word.text), true);
  } else {
    for (int64_t token = word.first; token < word.first + word.count; ++token) {
      const std::vector<Word> alone = words_of({view.pieces[size_t(token)]});
      html += piece_html(view, layer, token, alone[0].text.empty() ? "␣" : escaped(alone[0].text), true);
    }
  }
  return "<span class=\"word\">" + html + "</span> ";
}

std::string example_html(const ReportSource& source, const ReportPairs& pairs, int64_t at,
                         const ImageExperts& image, const TextExperts& text, PictureStore& pictures) {
  const std::string id = pictures.add(pairs.images[size_t(at)]), &caption = pairs.captions[size_t(at)];
  const std::vector<int64_t> blocks = moe_block_indices(source.model_config);
  std::string html = "<article class=\"example\"><div class=\"plain\">" + picture_html(id, caption) + "<p>" +
                     escaped(caption) + "</p></div><div class=\"layers\">";
  for (size_t layer = 0; layer < image.choices.layers(); ++layer) {
    html += "<div class=\"layer\"><span class=\"block\">block " + std::to_string(blocks[layer]) + "</span>" +
            tinted_picture(image, layer, id, caption) + "<p class=\"words\">";
    for (const Word& word : text.words) html += word_html(text, layer, word);
    html += "</p></div>";
  }
  return html + "</div></article>\n";
}

}  // namespace

std::string experts_section(const ReportSource& source, PictureStore& pictures) {
  const char* kHeading = "Patches and words by expert";
  const auto missing = [&](const std::string& why) {
    return html_section("experts", kHeading, "", html_missing(why));
  };
  if (source.is_dense()) return missing("This model is dense: it has no experts.");
  if (!source.loaded) return missing("No model: " + source.no_model);
  const ReportPairs* pairs = source.example_pairs();
  if (!pairs) return missing("None of the run's data can be read, so there are no pictures to show.");
  const std::vector<int64_t> chosen = spread_evenly(int64_t(pairs->size()), kExamples);
  std::vector<Image> images;
  std::vector<std::string> captions;
  for (const int64_t at : chosen) {
    images.push_back(pairs->images[size_t(at)]);
    captions.push_back(pairs->captions[size_t(at)]);
  }
  const auto image_views = experts_of_images(*source.loaded->model, images);
  const auto text_views = experts_of_texts(*source.loaded->model, *source.loaded->tokenizer, captions);
  std::string body = expert_legend_html(source.model_config.experts) + "<div class=\"examples\">";
  for (size_t i = 0; i < chosen.size(); ++i)
    body += example_html(source, *pairs, chosen[i], image_views[i], text_views[i], pictures);
  return html_section("experts", kHeading,
                      "Pairs of " + escaped(pairs->name) +
                          ", in evaluation. A patch and a word have the colour and the number of the expert "
                          "they went to; the fuller "
                          "the colour, the larger the gate (point at one to read it). A text ends after " +
                          std::to_string(source.model_config.text_length) + " pieces.",
                      body + "</div>");
}

}  // namespace limoe
