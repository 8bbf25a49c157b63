// Image-text pairs in WebDataset tar shards.
//
// Members that share a name up to the first dot are one sample:
//
//   KEY.png | .jpg | .jpeg | .webp   the picture (needed, exactly one)
//   KEY.txt                          the caption, or a string field of
//   KEY.json                         when json_text_key names it; has phrases for caption sampling
//   KEY.cls                          the class, a number from 0
//
// Members with other endings are ignored. Two files of CLIP_benchmark's layout, beside the shards or in the
// folder above them, change what the text is:
//
//   classnames.txt     a sample with KEY.cls and no KEY.txt has its class's name as caption
//   dataset_type.txt   "retrieval": every line of KEY.txt is a caption of its own
#pragma once

#include <string>
#include <vector>

#include "data/sources/sample_source.h"

namespace limoe {

class TarSource final : public SampleSource {
 public:
  // `source` is one of data/shard_list.h without "::". FileError: no shard, a damaged one, too many bad
  // samples.
  TarSource(const std::string& source, const std::string& json_text_key, BadSampleLog& bad);

  int64_t size() const override { return static_cast<int64_t>(samples_.size()); }
  std::string key(int64_t sample) const override { return at(sample).key; }
  std::string image_name(int64_t sample) const override;
  std::vector<uint8_t> read_image(int64_t sample) const override;
  SampleText read_text(int64_t sample) const override;
  BadSample place_of(int64_t sample) const override;

  int64_t file_count() const override { return static_cast<int64_t>(shards_.size()); }
  const char* file_kind() const override { return "shard"; }
  std::string expected() const override;
  bool has_many_captions() const override { return many_captions_; }

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

  void read_metadata();
  void index_shard(int32_t shard, BadSampleLog& bad);
  static void assign_member(Gathered& gathered, const std::string& extension, const Member& member);
  void accept(Gathered& gathered, BadSampleLog& bad);
  std::string caption_problem(const Gathered& gathered) const;
  const Sample& at(int64_t sample) const { return samples_[static_cast<std::size_t>(sample)]; }
  const std::string& shard_of(const Sample& sample) const {
    return shards_[static_cast<std::size_t>(sample.shard)];
  }
  std::string read_member(const Sample& sample, const Member& member, const char* extension) const;
  std::string class_name_of(const std::string& label, const std::string& name) const;

  std::string json_text_key_;
  std::vector<std::string> shards_;
  std::vector<Sample> samples_;
  std::vector<std::string> class_names_;
  bool many_captions_ = false;
};

}  // namespace limoe
