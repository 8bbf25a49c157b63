// WebDataset samples in tar shards, in the layout CLIP_benchmark reads:
//
//   DIR/classnames.txt                          one class a line (where the data set has classes)
//   DIR/zeroshot_classification_templates.txt   one template a line, {c} stands for the class
//   DIR/<split>/nshards.txt                     how many shards follow
//   DIR/<split>/0.tar 1.tar ...                 members KEY.png KEY.txt [KEY.json] [KEY.cls] of one sample in
//   a row
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "data/tar.h"

namespace limoe {

struct ShardSample {
  std::string key;  // unique in the split, no '.' and no '/'
  std::span<const uint8_t> png;
  std::string_view caption;
  std::string_view json = {};  // empty: no .json member
  int class_index = -1;        // negative: no .cls member
};

// "000000042": keys sort as their numbers do.
std::string shard_key(int64_t index);

class ShardWriter {
 public:
  // Creates the folder. samples_per_shard >= 1.
  ShardWriter(const std::string& folder, int64_t samples_per_shard);

  void add(const ShardSample& sample);

  // Closes the last shard and writes nshards.txt.
  void finish();

  int64_t count() const { return count_; }

 private:
  std::string folder_;
  int64_t samples_per_shard_;
  int64_t count_ = 0;
  int64_t shards_ = 0;
  std::optional<TarWriter> tar_;
};

}  // namespace limoe
