// Sequences: how the rows of one token matrix [N, D] are cut into sequences.
//
// Rows are packed without gaps: runs of `count` sequences of `length` tokens each, one run after another. Two
// hundred pictures of 36 patches and as many captions of 16 tokens are {{200, 36}, {200, 16}}.
#pragma once

#include <cstdint>
#include <vector>

#include "cuda/token_runs.h"
#include "tensor/error.h"
#include "tensor/tensor.h"

namespace limoe {

struct SequenceRun {
  int64_t count, length;
};
using Sequences = std::vector<SequenceRun>;

inline int64_t token_count(const Sequences& sequences) {
  int64_t tokens = 0;
  for (const SequenceRun& run : sequences) tokens += run.count * run.length;
  return tokens;
}

inline int64_t sequence_count(const Sequences& sequences) {
  int64_t count = 0;
  for (const SequenceRun& run : sequences) count += run.count;
  return count;
}

// One sequence: rows first .. first + length - 1.
struct SequenceRange {
  int64_t first, length;
};

// In order of their rows: element i is sequence i.
inline std::vector<SequenceRange> sequence_ranges(const Sequences& sequences) {
  std::vector<SequenceRange> ranges;
  ranges.reserve(size_t(sequence_count(sequences)));
  int64_t first = 0;
  for (const SequenceRun& run : sequences)
    for (int64_t i = 0; i < run.count; ++i, first += run.length) ranges.push_back({first, run.length});
  return ranges;
}

// The runs with their places, as kernels are told.
inline std::vector<cuda::TokenRun> token_runs(const Sequences& sequences) {
  std::vector<cuda::TokenRun> runs;
  int64_t token = 0, sequence = 0;
  for (const SequenceRun& run : sequences) {
    runs.push_back({token, sequence, run.count, run.length});
    token += run.count * run.length;
    sequence += run.count;
  }
  return runs;
}

// `tokens` [N, ...] must have as many rows as the sequences hold.
inline void expect_sequences(const char* op, const char* argument, const Tensor& tokens,
                             const Sequences& sequences) {
  for (size_t i = 0; i < sequences.size(); ++i)
    if (sequences[i].count < 0 || sequences[i].length < 0)
      throw ValueError(op, ": sequences[", i, "] is ", sequences[i].count, " sequences of ",
                       sequences[i].length, " tokens; expected no negative number");
  if (tokens.dim(0) != token_count(sequences))
    throw ShapeError(op, ": ", argument, " is ", tokens.shape(), "; expected ", token_count(sequences),
                     " rows because the sequences hold that many tokens");
}

}  // namespace limoe
