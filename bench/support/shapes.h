// The shapes that ops are timed at: those a LIMoE has.
#pragma once

#include <cstdint>
#include <vector>

#include "ops/sequences.h"

namespace limoe::bench {

struct TowerShape {
  const char* name;
  Sequences sequences;  // pictures, texts
  int64_t tokens;       // of all sequences
  int64_t width, heads, mlp_width, joint_width, experts;
  int64_t pairs;
  int64_t image_size, patch_size, vocabulary;
};

// On a laptop: configs/emoji.toml's, bench/peers/w384.toml's, and a B/16's with a batch that fits. On a GPU:
// an S/32's and a B/16's with a batch of 256. In a dry run: one that has every odd edge and takes no time.
const std::vector<TowerShape>& tower_shapes();

}  // namespace limoe::bench
