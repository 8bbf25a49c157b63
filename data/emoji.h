// The emoji data set: every fully-qualified emoji drawn, with its name and keywords as caption.
//
// Splits (data/emoji_splits.h): train, heldout-concepts, heldout-combinations, and heldout-concepts-base,
// which repeats one representative picture of each held-out concept, so that retrieval among them has one
// right answer. Classes (.cls, classnames.txt) are Unicode's nine groups. A sample's .json:
//
//   {"name", "keywords", "group", "subgroup", "emoji", "codepoints", "concept", "tone", "gender", "hair",
//    "representative", "phrases", "names": {"de": ...}, "keywords_by_language": {"de": [...]}}
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "data/emoji_concepts.h"
#include "data/emoji_names.h"

namespace limoe {

constexpr int kEmojiSize = 64;

// PNG files of all emoji, in order, drawn by `threads` threads (0: one a core). `size` is the side in pixels.
std::vector<std::vector<uint8_t>> draw_emoji(const std::vector<Emoji>& all, int size, int threads,
                                             const std::function<void(int64_t, int64_t)>& progress);

std::string emoji_json(const Emoji& emoji, const EmojiVariant& variant);

}  // namespace limoe
