#include "models/train/expert_favourites.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <tuple>

namespace limoe {
namespace {

using Table = std::vector<std::vector<Favourites>>;  // [layers][experts]

void gather_patches(const std::vector<ImageExperts>& images, size_t layer, std::vector<Favourites>& experts) {
  double tokens = 0;
  for (size_t image = 0; image < images.size(); ++image) {
    const ImageExperts& view = images[image];
    std::vector<FavouritePatch> best(experts.size());
    for (int64_t token = 0; token < view.choices.tokens(); ++token, ++tokens) {
      experts[size_t(view.choices.at(layer, token).expert)].image_load += 1;
      for (int64_t k = 0; k < view.choices.per_token(); ++k) {
        const ExpertChoice& choice = view.choices.at(layer, token, k);
        if (choice.dropped || !(choice.gate > best[size_t(choice.expert)].gate)) continue;
        best[size_t(choice.expert)] = {int64_t(image), token / view.columns, token % view.columns,
                                       choice.gate};
      }
    }
    for (size_t expert = 0; expert < experts.size(); ++expert)
      if (best[expert].gate > 0) experts[expert].patches.push_back(best[expert]);
  }
  for (Favourites& expert : experts)
    if (tokens > 0) expert.image_load /= tokens;
}

// What a word gave to every expert of one layer.
struct WordTally {
  std::vector<double> given;  // [experts]
  int64_t occurrences = 0;
  bool special = false;
};

// Without ASCII punctuation at its ends, unless it is nothing else: "flag:" -> "flag".
std::string bare(const Word& word) {
  if (word.special) return word.text;
  const auto counts = [](char c) { return !std::ispunct(uint8_t(c)) || uint8_t(c) >= 0x80; };
  const auto first = std::find_if(word.text.begin(), word.text.end(), counts);
  const auto last = std::find_if(word.text.rbegin(), word.text.rend(), counts).base();
  return first < last ? std::string(first, last) : word.text;
}

void tally_text(const TextExperts& view, size_t layer, size_t experts,
                std::map<std::string, WordTally>& tally) {
  for (const Word& word : view.words) {
    WordTally& entry = tally[bare(word)];
    entry.given.resize(experts);
    entry.special = word.special;
    ++entry.occurrences;
    for (int64_t piece = word.first; piece < word.first + word.count; ++piece)
      for (int64_t k = 0; k < view.choices.per_token(); ++k) {
        const ExpertChoice& choice = view.choices.at(layer, piece, k);
        if (!choice.dropped) entry.given[size_t(choice.expert)] += double(choice.gate) / double(word.count);
      }
  }
}

void gather_words(const std::vector<TextExperts>& texts, size_t layer, int64_t least_occurrences,
                  std::vector<Favourites>& experts) {
  std::map<std::string, WordTally> tally;
  double tokens = 0;
  for (const TextExperts& view : texts) {
    tally_text(view, layer, experts.size(), tally);
    for (int64_t token = 0; token < view.choices.tokens(); ++token, ++tokens)
      experts[size_t(view.choices.at(layer, token).expert)].text_load += 1;
  }
  const bool has_frequent = std::any_of(tally.begin(), tally.end(), [&](const auto& entry) {
    return entry.second.occurrences >= least_occurrences && !entry.second.special;
  });
  for (const auto& [text, entry] : tally) {
    if (has_frequent && entry.occurrences < least_occurrences) continue;
    for (size_t expert = 0; expert < experts.size(); ++expert)
      if (entry.given[expert] > 0)
        experts[expert].words.push_back(
            {text, entry.given[expert] / double(entry.occurrences), entry.occurrences, entry.special});
  }
  for (Favourites& expert : experts)
    if (tokens > 0) expert.text_load /= tokens;
}

void keep_best(Favourites& expert, const FavouriteOptions& options) {
  std::stable_sort(expert.patches.begin(), expert.patches.end(),
                   [](const FavouritePatch& a, const FavouritePatch& b) { return a.gate > b.gate; });
  std::stable_sort(expert.words.begin(), expert.words.end(),
                   [](const FavouriteWord& a, const FavouriteWord& b) {
                     return std::tie(a.share, a.occurrences) > std::tie(b.share, b.occurrences);
                   });
  if (expert.patches.size() > options.patches) expert.patches.resize(options.patches);
  if (expert.words.size() > options.words) expert.words.resize(options.words);
}

}  // namespace

Table favourites_of(const std::vector<ImageExperts>& images, const std::vector<TextExperts>& texts,
                    int64_t experts, const FavouriteOptions& options) {
  const size_t layers = !images.empty()  ? images[0].choices.layers()
                        : !texts.empty() ? texts[0].choices.layers()
                                         : 0;
  Table table(layers, std::vector<Favourites>(size_t(experts)));
  for (size_t layer = 0; layer < layers; ++layer) {
    gather_patches(images, layer, table[layer]);
    gather_words(texts, layer, options.least_occurrences, table[layer]);
    for (Favourites& expert : table[layer]) keep_best(expert, options);
  }
  return table;
}

}  // namespace limoe
