// Small data sets on disk for tests of the data side, in a folder that goes away with its test.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "data/image.h"
#include "data/shards.h"
#include "tests/support/scratch_folder.h"

namespace limoe {

// A picture that `seed` determines and that no two small seeds share.
inline Image numbered_image(int width, int height, int seed) {
  Image image{width, height, std::vector<uint8_t>(static_cast<std::size_t>(width * height * 3))};
  for (std::size_t i = 0; i < image.pixels.size(); ++i)
    image.pixels[i] = static_cast<uint8_t>(static_cast<std::size_t>(seed) * 37 + i * 11 + i / 7);
  return image;
}

inline std::string text_of(const std::vector<uint8_t>& bytes) {
  return {bytes.begin(), bytes.end()};
}

// `count` pairs in shards of `per_shard`: caption "thing N", class N mod 3, JSON with a name and three
// keywords.
inline void write_pairs(const std::string& folder, int count, int per_shard, int side = 12) {
  ShardWriter writer(folder, per_shard);
  for (int i = 0; i < count; ++i) {
    const std::string number = std::to_string(i);
    const std::string caption = "thing " + number;
    const std::string json = R"({"name": "thing )" + number + R"(", "keywords": ["round", "red )" + number +
                             R"(", "thing )" + number + R"("], "subgroup": "odd-sort"})";
    const std::vector<uint8_t> png = encode_png(numbered_image(side, side, i));
    writer.add({shard_key(i), png, caption, json, i % 3});
  }
  writer.finish();
}

}  // namespace limoe
