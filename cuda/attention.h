// Attention on the device; formulas, layout of qkv and the meaning of key_valid in ops/attention.h. T is
// float or bf16; scores, sums and lse are float.
//
// Forward: a block owns one head of a sequence and up to 64 of its queries; keys and values come in tiles of
// as many (Dao et al. 2022, arXiv 2205.14135): the running maximum and sum of each row rescale what was added
// before. Sequences of up to 16, 32 and 64 tokens are one tile of that size, so a block owns the head.
// Backward: probabilities are made again from lse. A sequence of one tile is one block; of a longer one,
// blocks own tiles of keys (dk, dv) and then tiles of queries (dq), so nothing is added by two blocks.
#pragma once

#include <cstdint>

#include "cuda/stream.h"
#include "cuda/token_runs.h"

namespace limoe::cuda {

inline constexpr int64_t kWidestHead = 128;  // columns

struct AttentionSizes {
  int64_t heads, head_width;
  const TokenRun* runs;
  int run_count;
};

template <class T>
struct AttentionForward {
  const T* qkv;              // [tokens, 3 heads head_width]
  const int32_t* key_valid;  // [tokens] or null
  T* y;                      // [tokens, heads head_width]
  float* lse;                // [tokens, heads]
};
template <class T>
void attention_forward(Stream stream, const AttentionForward<T>& of, const AttentionSizes& sizes);

template <class T>
struct AttentionBackward {
  const T* qkv;
  const int32_t* key_valid;
  const T* y;
  const float* lse;
  const T* dy;
  float* deltas;  // [tokens, heads]: scratch
  T* dqkv;
};
template <class T>
void attention_backward(Stream stream, const AttentionBackward<T>& of, const AttentionSizes& sizes);

}  // namespace limoe::cuda
