// The emoji data set's splits. Deterministic: a function of the emoji, the seed and nothing else. Every emoji
// is in exactly one.
//
//   heldout-concepts       whole concepts that training never sees: 12 % of each group and, within it, of
//   each subgroup,
//                          chosen by the hash of the concept's name; never more than half of a subgroup
//   heldout-combinations   unseen combinations of seen parts, of concepts that are in training. A pair
//   (concept, tone, gender)
//                          is held out only while training still has the concept with that gender in another
//                          tone, the concept with that tone in another gender, and the tone with that gender
//                          on other concepts. For concepts without gender, hands for example: (concept,
//                          tone), the concept in other tones and the tone on other concepts.
//   train                  the rest
#pragma once

#include <cstdint>
#include <vector>

#include "data/emoji_concepts.h"

namespace limoe {

enum class EmojiSplit { kTrain, kHeldoutConcepts, kHeldoutCombinations };

constexpr int kHeldoutConcepts = 200;
constexpr int kHeldoutGenderedCombinations = 120;
constexpr int kHeldoutTonedCombinations = 30;

std::vector<EmojiSplit> split_emoji(const std::vector<Emoji>& all, const std::vector<EmojiVariant>& variants,
                                    uint64_t seed);

}  // namespace limoe
