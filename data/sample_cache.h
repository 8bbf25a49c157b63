// Samples as they are before any random variation, kept while memory lasts: a set that fits is decoded once.
//
// Nothing is ever evicted. A shuffled epoch visits every sample once, so an eviction would only trade one for
// another. Thread-safe. What is kept never changes what the loader delivers.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "data/image.h"
#include "data/sample_text.h"
#include "data/tokenizer.h"

namespace limoe {

struct PreparedSample {
  Image image;  // the final picture, or a somewhat larger one to crop from
  SampleText text;
  std::optional<TextIds> ids;  // where the caption never varies
};

class SampleCache {
 public:
  SampleCache(int64_t sample_count, int64_t max_bytes);

  std::shared_ptr<const PreparedSample> find(int64_t sample) const;  // null when it is not kept
  void keep(int64_t sample, std::shared_ptr<const PreparedSample> prepared);

  bool is_bad(int64_t sample) const;  // mark_bad() was called: reading it again is of no use
  void mark_bad(int64_t sample);

  int64_t bytes() const;

 private:
  const int64_t max_bytes_;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<const PreparedSample>> samples_;
  std::vector<bool> bad_;
  int64_t bytes_ = 0;
};

}  // namespace limoe
