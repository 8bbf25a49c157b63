// The maker of the emoji data set.
#include "data/emoji.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <numeric>
#include <thread>

#include "data/dataset_files.h"
#include "data/emoji_font.h"
#include "data/emoji_splits.h"
#include "data/image.h"
#include "data/make.h"
#include "data/output_folder.h"
#include "data/resize.h"
#include "data/shards.h"
#include "data/stable_hash.h"
#include "tensor/error.h"

namespace limoe {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kSamplesPerShard = 1000;

std::vector<std::string> class_names(const std::vector<Emoji>& all) {
  std::vector<std::string> names;
  for (const Emoji& emoji : all) {
    std::string name = emoji_class_words(emoji.group);
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return names;
}

struct Split {
  std::string name;
  std::vector<size_t> members;  // in the order they are written
};

// Training samples are shuffled, because readers of shards shuffle only within a window.
std::vector<Split> list_splits(const std::vector<EmojiVariant>& variants,
                               const std::vector<EmojiSplit>& splits, uint64_t seed) {
  Split train{"train", {}}, concepts{"heldout-concepts", {}}, base{"heldout-concepts-base", {}},
      combinations{"heldout-combinations", {}};
  for (size_t i = 0; i < splits.size(); ++i) {
    if (splits[i] == EmojiSplit::kTrain) train.members.push_back(i);
    if (splits[i] == EmojiSplit::kHeldoutCombinations) combinations.members.push_back(i);
    if (splits[i] != EmojiSplit::kHeldoutConcepts) continue;
    concepts.members.push_back(i);
    if (variants[i].representative) base.members.push_back(i);
  }
  std::sort(train.members.begin(), train.members.end(), [&](size_t a, size_t b) {
    return stable_hash(shard_key(int64_t(a)), seed) < stable_hash(shard_key(int64_t(b)), seed);
  });
  return {train, concepts, base, combinations};
}

void describe(const std::string& folder, const MakeOptions& options, int size,
              const std::vector<Split>& splits, const std::vector<Emoji>& all) {
  DatasetDescription description{"emoji", size, {}, {}, {}};
  for (const Split& split : splits)
    description.splits.emplace_back(split.name, int64_t(split.members.size()));
  description.made_by = {
      {"emoji", int64_t(all.size())}, {"seed", options.seed}, {"languages", options.languages}};
  description.sources = {
      {"Pictures", "Noto Color Emoji, drawn with HarfBuzz and FreeType", "fonts-noto-color-emoji",
       "SIL Open Font License 1.1"},
      {"Names, groups", "emoji-test.txt of Unicode", "unicode-data", "Unicode-DFS-2016"},
      {"Keywords", "annotations of Unicode CLDR", "unicode-cldr-core", "Unicode-DFS-2016"}};
  write_description(folder, description);
  write_class_files(folder, class_names(all), {"{c}", "a picture of {c}", "an emoji of {c}"});
}

}  // namespace

std::vector<std::vector<uint8_t>> draw_emoji(const std::vector<Emoji>& all, int size, int threads,
                                             const std::function<void(int64_t, int64_t)>& progress) {
  if (threads == 0) threads = static_cast<int>(std::clamp(std::thread::hardware_concurrency(), 1u, 16u));
  std::vector<std::vector<uint8_t>> files(all.size());
  std::atomic<size_t> next = 0;
  std::mutex mutex;
  std::exception_ptr failure;
  int64_t done = 0;
  auto draw = [&] {
    try {
      EmojiFont font;
      for (size_t i = next++; i < all.size(); i = next++) {
        files[i] = encode_png(resize_bicubic(font.draw(all[i].codepoints), size, size));
        std::lock_guard lock(mutex);
        if (progress) progress(++done, static_cast<int64_t>(all.size()));
      }
    } catch (...) {
      std::lock_guard lock(mutex);
      failure = std::current_exception();
      next = all.size();
    }
  };
  std::vector<std::thread> workers;
  for (int i = 0; i < threads; ++i) workers.emplace_back(draw);
  for (std::thread& worker : workers) worker.join();
  if (failure) std::rethrow_exception(failure);
  return files;
}

std::string emoji_json(const Emoji& emoji, const EmojiVariant& variant) {
  Json json = {{"name", emoji.english.name},
               {"keywords", emoji.english.keywords},
               {"group", emoji.group},
               {"subgroup", emoji.subgroup},
               {"emoji", emoji.text},
               {"codepoints", hexadecimal(emoji.codepoints)},
               {"concept", variant.concept_name},
               {"tone", variant.tone},
               {"gender", variant.gender},
               {"hair", variant.hair},
               {"representative", variant.representative}};
  json["phrases"] = emoji_phrases(emoji);
  for (const auto& [language, words] : emoji.languages) {
    json["names"][language] = words.name;
    json["keywords_by_language"][language] = words.keywords;
  }
  return json.dump();
}

void make_emoji(const MakeOptions& options) {
  int size = options.size == 0 ? kEmojiSize : options.size;
  check_picture_size("emoji", size);
  OutputFolder folder(options.out, options.force);
  std::vector<Emoji> all = read_emoji({}, options.languages);
  std::vector<EmojiVariant> variants = find_emoji_variants(all);
  std::vector<Split> splits = list_splits(variants, split_emoji(all, variants, options.seed), options.seed);
  std::vector<std::vector<uint8_t>> files = draw_emoji(all, size, 0, options.progress);

  std::vector<std::string> classes = class_names(all);
  for (const Split& split : splits) {
    ShardWriter writer(folder.path() + "/" + split.name, kSamplesPerShard);
    for (size_t i : split.members) {
      auto group = std::find(classes.begin(), classes.end(), emoji_class_words(all[i].group));
      std::string caption = emoji_caption(all[i]), json = emoji_json(all[i], variants[i]);
      writer.add({shard_key(int64_t(i)), files[i], caption, json, int(group - classes.begin())});
    }
    writer.finish();
  }
  describe(folder.path(), options, size, splits, all);
  folder.commit();
}

}  // namespace limoe
