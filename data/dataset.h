// Image-text pairs in WebDataset tar shards, indexed once and read in any order.
//
// Members that share a name up to the first dot are one sample:
//
//   KEY.png | .jpg | .jpeg | .webp   the picture (needed, exactly one)
//   KEY.txt                          the caption, or a string field of
//   KEY.json                         when json_text_key names it; has phrases for caption sampling
//   KEY.cls                          the class, a number from 0
//
// Members with other endings are ignored. A sample without picture or caption is skipped, entered in
// bad_samples() and not counted in size(). What only reading can show (a broken picture, an empty caption) is
// thrown as FileError by the readers; the caller skips the sample and enters it with report_bad(). Sources:
// data/shard_list.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/bad_samples.h"
#include "data/image.h"
#include "data/sample_text.h"

namespace limoe {

struct DatasetOptions {
  std::string json_text_key = {};  // empty: captions come from KEY.txt
  int64_t max_bad = 100;           // more bad samples than this is a FileError
  int64_t max_pixels = kMaxPixels;
};

// Safe to read from several threads at once.
class Dataset {
 public:
  // FileError: no shard, a damaged shard, a source without a usable sample, more than max_bad bad ones.
  Dataset(const std::string& source, const DatasetOptions& options);

  int64_t size() const { return static_cast<int64_t>(samples_.size()); }
  // How many of the samples each part of SOURCE::SOURCE gave; none gives 0.
  const std::vector<int64_t>& source_sizes() const { return source_sizes_; }
  int64_t shard_count() const { return static_cast<int64_t>(shards_.size()); }
  const std::string& key(int64_t sample) const { return at(sample).key; }
  std::string image_name(int64_t sample) const;  // "SHARD: MEMBER", for messages
  int64_t image_bytes(int64_t sample) const { return at(sample).image.size; }

  std::vector<uint8_t> read_image(int64_t sample) const;                 // as stored
  Image decode(int64_t sample, const std::vector<uint8_t>& file) const;  // within max_pixels
  SampleText read_text(int64_t sample) const;

  void report_bad(int64_t sample, const std::string& reason) const;  // FileError above max_bad
  std::vector<BadSample> bad_samples() const { return bad_.samples(); }

 private:
  struct Member {
    int64_t offset = -1;  // -1: the sample has no such member
    int64_t size = 0;
  };
  struct Sample {
    std::string key;
    int32_t shard = 0;
    int8_t image_extension = -1;  // index into the known ones
    Member image, text, json, label;
  };
  struct Gathered;

  void index_source(const std::string& source);
  void index_shard(int32_t shard);
  void accept(Gathered& gathered);
  const Sample& at(int64_t sample) const;
  std::string read_member(const Sample& sample, const Member& member, const char* extension) const;

  std::string source_;
  DatasetOptions options_;
  std::vector<std::string> shards_;
  std::vector<Sample> samples_;
  std::vector<int64_t> source_sizes_;
  mutable BadSampleLog bad_;
};

}  // namespace limoe
