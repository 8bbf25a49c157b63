// Which emoji are variants of one concept, and in what they differ.
//
// A concept is an emoji with its skin tones, gender and hair taken away: "woman astronaut: dark skin tone"
// and "man astronaut" are both "astronaut". All families are one concept, so are all kisses, couples with
// heart and pairs holding hands; flags drawn alike (Norway, Bouvet Island, Svalbard) are one too. A split
// that keeps concepts whole cannot leak a test picture's twin into training.
#pragma once

#include <string>
#include <vector>

#include "data/emoji_names.h"

namespace limoe {

struct EmojiVariant {
  std::string concept_name;  // the English name of the concept's representative
  std::u32string base;       // the sequence with everything taken away: what identifies the concept
  std::string tone;          // "dark skin tone", "light skin tone, dark skin tone" or ""
  std::string
      gender;        // "man", "woman", "person", "woman, man", "man, boy, girl" ...; "" where it has no part
  std::string hair;  // "red hair", "curly hair", "white hair", "bald", "blond hair" or ""
  bool representative =
      false;  // true for one variant of each concept: untoned and gender-neutral where there is one
};

// One for each emoji, in the same order.
std::vector<EmojiVariant> find_emoji_variants(const std::vector<Emoji>& all);

}  // namespace limoe
