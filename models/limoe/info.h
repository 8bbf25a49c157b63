// What a LIMoE costs, counted from its config: nothing is allocated.
//
// FLOP of a forward pass count a multiply-add as two, and matrix products only. With T tokens a sequence, D,
// M, E, K, J as in config.h and P*P*3 numbers a patch:
//
//   block       8 T D D + 4 T T D for attention, 4 T D M for an MLP; K of them and 2 T D E in a MoE block
//   the ends    2 T P P 3 D for pictures, 2 D J
//
// Texts count with all their tokens, padding too: that is what is computed. A training step is three forward
// passes; with grad_checkpointing the blocks run four times.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/limoe/config.h"

namespace limoe {

// What the memory of training depends on besides the model.
struct TrainingShape {
  int64_t batch_size = 128;
  int64_t accum_freq = 1;  // micro-batches a step is computed in
  std::string optimizer = "adamw";
  int64_t batches_held = 3;  // made ahead by the loader, and in use
};

struct ParameterGroup {
  std::string name;  // "embeddings", "attention", "MLPs", "experts", ...
  int64_t all = 0;
  int64_t active = 0;  // what one token meets: K of E experts
};

// Bytes, f32.
struct MemoryEstimate {
  int64_t weights = 0;
  int64_t gradients = 0;
  int64_t optimizer = 0;
  int64_t activations = 0;  // what the forward pass keeps for the backward pass
  int64_t data = 0;         // batches of pictures and token ids
  int64_t total() const { return weights + gradients + optimizer + activations + data; }
};

struct ModelInfo {
  int64_t parameters = 0;
  int64_t active_parameters = 0;
  std::vector<ParameterGroup> groups;  // they add up to the two above
  std::vector<int64_t> moe_blocks;
  int64_t image_tokens = 0, text_tokens = 0;
  int64_t image_flop = 0, text_flop = 0;  // of one forward pass
  int64_t pair_flop() const { return image_flop + text_flop; }
  int64_t training_pair_flop = 0;
  int64_t expert_capacity = 0;  // places an expert has in training for a group of tokens; 0: no limit
  MemoryEstimate memory;
};

// Throws ValueError for a config that validate() refuses, or an accum_freq that does not divide the batch.
ModelInfo model_info(const LimoeConfig& config, const TrainingShape& shape = {});

}  // namespace limoe
