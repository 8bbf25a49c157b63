// What every kind of data source gives: numbered samples, each a picture file and the text that belongs to
// it.
//
// The kinds: tar_source.h (WebDataset shards), csv_source.h (a table), class_folder_source.h (a folder of
// classes). open_source.h tells from a path which one it is.
//
// Making a source indexes it; pictures and texts are read when asked for, from any thread. A sample that the
// index shows to be unusable goes to the BadSampleLog and is not counted; what only reading can show is
// thrown by the readers as FileError. Sample numbers are 0..size() - 1; the caller checks them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/bad_samples.h"
#include "data/sample_text.h"

namespace limoe {

class SampleSource {
 public:
  virtual ~SampleSource() = default;

  virtual int64_t size() const = 0;
  virtual std::string key(int64_t sample) const = 0;                  // unique in the source
  virtual std::string image_name(int64_t sample) const = 0;           // "FILE: MEMBER", for messages
  virtual std::vector<uint8_t> read_image(int64_t sample) const = 0;  // as stored
  virtual SampleText read_text(int64_t sample) const = 0;
  virtual BadSample place_of(int64_t sample) const = 0;  // without a reason

  virtual int64_t file_count() const = 0;     // of shards, tables, folders of classes
  virtual const char* file_kind() const = 0;  // "shard"
  virtual std::string expected() const = 0;   // "members KEY.png ...", for a source without a usable sample
  virtual bool has_many_captions() const { return false; }  // SampleText::other_captions are filled

 protected:
  SampleSource() = default;
  SampleSource(const SampleSource&) = delete;
  SampleSource& operator=(const SampleSource&) = delete;
};

// A size comes from a file and is allocated before the contents are read.
constexpr int64_t kMaxTextBytes = int64_t{1} << 20;
constexpr int64_t kMaxImageBytes = int64_t{1} << 28;

}  // namespace limoe
