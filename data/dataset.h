// Image-text pairs from any number of sources, indexed once and read in any order.
//
// SOURCE::SOURCE joins sources of any kind: WebDataset tar shards, CSV and TSV tables, folders of classes
// (data/sources/open_source.h says how a path is told apart; each kind's header what it reads).
//
// A sample that the index shows to be unusable is skipped, entered in bad_samples() and not counted in
// size(). What only reading can show (a broken picture, an empty caption) is thrown as FileError by the
// readers; the caller skips the sample and enters it with report_bad().
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "data/bad_samples.h"
#include "data/image.h"
#include "data/sample_text.h"

namespace limoe {

class SampleSource;

struct DatasetOptions {
  std::string json_text_key = {};  // tar shards: empty: captions come from KEY.txt
  int64_t max_bad = 100;           // more bad samples than this is a FileError
  int64_t max_pixels = kMaxPixels;
  std::string csv_img_key = "filepath";  // tables: the columns' names
  std::string csv_caption_key = "title";
  std::string csv_separator = "tab";  // or one character
};

// Safe to read from several threads at once.
class Dataset {
 public:
  // FileError: nothing there, a damaged shard, a source without a usable sample, more than max_bad bad ones.
  Dataset(const std::string& source, const DatasetOptions& options);
  ~Dataset();

  int64_t size() const { return first_.back(); }
  // How many of the samples each part of SOURCE::SOURCE gave; none gives 0.
  const std::vector<int64_t>& source_sizes() const { return source_sizes_; }
  int64_t file_count() const;      // of shards, tables, folders of classes
  std::string extent() const;      // "3 shards, 1 table"
  bool has_many_captions() const;  // some SampleText::other_captions are filled
  std::string key(int64_t sample) const;
  std::string image_name(int64_t sample) const;  // "FILE: MEMBER", for messages

  std::vector<uint8_t> read_image(int64_t sample) const;  // as stored
  // Within max_pixels. A JPEG may be decoded at a reduced size when its shorter side stays well above
  // `least_side`: see decode_image().
  Image decode(int64_t sample, const std::vector<uint8_t>& file, int least_side = 0) const;
  SampleText read_text(int64_t sample) const;

  void report_bad(int64_t sample, const std::string& reason) const;  // FileError above max_bad
  std::vector<BadSample> bad_samples() const { return bad_.samples(); }

 private:
  struct Place {
    const SampleSource& source;
    int64_t sample;  // within it
  };

  void open(const std::string& part);
  Place at(int64_t sample) const;

  std::string source_;
  DatasetOptions options_;
  mutable BadSampleLog bad_;
  std::vector<std::unique_ptr<SampleSource>> sources_;
  std::vector<int64_t> first_{0};  // number of each source's first sample, and of all
  std::vector<int64_t> source_sizes_;
};

}  // namespace limoe
