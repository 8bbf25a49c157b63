// Batch number (epoch, step) of a data set, as a pure function: the loader only decides when and on which
// thread.
//
// An epoch has N positions, whose samples data/epoch_order.h gives; batch `step` holds positions
// step * B .. step * B + B - 1. With drop_last an epoch has floor(N / B) batches of exactly B pairs, and a
// sample that cannot be read gives its place to the one in the same row of the next batch that can (rows of
// two batches never share a position, so no pair appears twice in a batch that does not twice in an epoch).
// Without drop_last it has ceil(N / B), and such samples are left out.
//
// Without augmentation a picture is resized so that its shorter side has image_size pixels (bicubic,
// antialiased), and its centre is cut out. With augmentation a random box of it is resampled, see
// data/augment.h.
// A picture with sides of more than 50 to 1 counts as one that cannot be read.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "data/augment.h"
#include "data/batch.h"
#include "data/dataset.h"
#include "data/epoch_order.h"
#include "data/sample_cache.h"
#include "data/tokenizer.h"

namespace limoe {

struct LoaderOptions {
  int64_t batch_size = 64;
  int image_size = 64;
  int64_t patches = 0;  // of a picture; for augment.patch_dropout
  TextOptions text;
  uint64_t seed = 0;
  bool shuffle = true;
  std::vector<double> upsampling_factors = {};  // one a source of the data set; empty: 1 for each
  bool drop_last = true;  // false in evaluation: every sample counts, the last batch is smaller
  std::optional<AugmentOptions> augment;
  int64_t epochs = 0;                        // 0: no end
  int workers = 1;                           // threads; 0: batches are made inside next()
  int prefetch = 2;                          // batches made ahead, over all workers
  int64_t cache_bytes = int64_t{512} << 20;  // for decoded pictures; 0: decode anew every epoch
};

class BatchBuilder {
 public:
  // ValueError for options out of range, or fewer samples than a batch needs.
  BatchBuilder(std::shared_ptr<const Dataset> dataset, std::shared_ptr<const Tokenizer> tokenizer,
               const LoaderOptions& options);

  int64_t steps_per_epoch() const { return steps_; }

  // Thread-safe. Adds its work to `times`. FileError when too many samples are bad.
  Batch build(LoaderPosition position, StageTimes& times);

  Batch allocate(int64_t pairs) const;  // tensors without values, for an epoch that is augmented

 private:
  using Prepared = std::shared_ptr<const PreparedSample>;
  struct Choice {
    int64_t sample;
    Prepared prepared;
  };

  std::vector<Choice> choose(LoaderPosition position, StageTimes& times);
  Prepared prepared(int64_t sample, StageTimes& times);  // null when the sample is bad
  PreparedSample prepare(int64_t sample, StageTimes& times) const;
  int base_side() const;
  Image base_image(Image image) const;
  bool augments(int64_t epoch) const;
  void fill_image(const Choice& choice, int64_t epoch, const std::string& caption, float* pixels) const;
  bool varies(int64_t sample, int64_t epoch) const;  // the pair is augmented in this epoch
  void vary_tokens(TextIds& text, int64_t sample, int64_t epoch) const;
  std::string caption_of(const Choice& choice, int64_t epoch) const;
  bool caption_is_fixed(const SampleText& text) const;  // in every epoch

  const std::shared_ptr<const Dataset> dataset_;
  const std::shared_ptr<const Tokenizer> tokenizer_;
  const LoaderOptions options_;
  const EpochOrder order_;
  int64_t steps_ = 0;
  SampleCache cache_;
};

}  // namespace limoe
