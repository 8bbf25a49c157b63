// One batch of image-text pairs, as the loader delivers it. B pairs, S pixels a side, L token positions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace limoe {

// Which batch: the step counts batches within its epoch. The whole state of a loader.
struct LoaderPosition {
  int64_t epoch = 0;
  int64_t step = 0;
  friend bool operator==(const LoaderPosition&, const LoaderPosition&) = default;
};

struct Batch {
  LoaderPosition position;
  Tensor images;                      // f32 [B, S, S, 3], rows, columns, RGB in [-1, 1]
  Tensor patches;                     // i32 [B, K]: those that are looked at; undefined: all
  Tensor ids;                         // i32 [B, L]
  Tensor text_valid;                  // i32 [B, L], 1 for pieces and the EOS, 0 for padding
  std::vector<int64_t> sample_index;  // [B], into the data set
  std::vector<std::string> captions;  // [B], the text behind ids
  std::vector<int64_t> labels;        // [B], -1 where the data set has no class

  int64_t size() const { return static_cast<int64_t>(sample_index.size()); }
};

// Seconds of work, added over all workers.
struct StageTimes {
  double read = 0;
  double decode = 0;
  double resize = 0;
  double augment = 0;  // crop, colours, and the conversion to f32
  double tokenize = 0;
  int64_t samples = 0;  // delivered, from the cache or not

  StageTimes& operator+=(const StageTimes& other);
  StageTimes operator-(const StageTimes& earlier) const;
};

}  // namespace limoe
