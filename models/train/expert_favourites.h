// What every expert of every MoE layer likes best, over a set of pictures and texts.
//
// A patch is ranked by its gate, and a picture gives an expert its best patch only, so that the list is not
// one picture's neighbouring patches. A word is ranked by the share of itself it gives the expert: the mean,
// over its occurrences, of the gates of its pieces that went there (an occurrence that went elsewhere counts
// 0). Punctuation at a word's ends does not make it another word. Choices that were dropped count for
// nothing. Equal ones: by order in the set, by alphabet.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/train/expert_view.h"

namespace limoe {

struct FavouritePatch {
  int64_t image = 0;  // index into the set
  int64_t row = 0, column = 0;
  float gate = 0;
};

struct FavouriteWord {
  std::string text;
  double share = 0;         // 0..1
  int64_t occurrences = 0;  // in the set, wherever they went
  bool special = false;     // Word::special
};

struct Favourites {
  std::vector<FavouritePatch> patches;   // best first
  std::vector<FavouriteWord> words;      // best first
  double image_load = 0, text_load = 0;  // share of all patches, of all pieces, whose first choice it is
};

struct FavouriteOptions {
  size_t patches = 12, words = 12;  // a list's length, at most
  int64_t least_occurrences = 2;    // of a word; rarer ones are left out, unless the set has no others
};

// [layers][experts]; empty for views of a dense model.
std::vector<std::vector<Favourites>> favourites_of(const std::vector<ImageExperts>& images,
                                                   const std::vector<TextExperts>& texts, int64_t experts,
                                                   const FavouriteOptions& options = {});

}  // namespace limoe
