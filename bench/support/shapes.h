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

// configs/emoji.toml's, bench/peers/w384.toml's, and a B/16's with a batch that fits a laptop.
inline const std::vector<TowerShape>& tower_shapes() {
  static const std::vector<TowerShape> shapes{
      {"w96", {{256, 16}, {256, 16}}, 8192, 96, 3, 384, 96, 8, 256, 48, 12, 3000},
      {"w384", {{64, 49}, {64, 16}}, 4160, 384, 6, 1536, 384, 8, 64, 112, 16, 3000},
      {"B/16", {{8, 196}, {8, 16}}, 1696, 768, 12, 3072, 512, 8, 8, 224, 16, 32000},
  };
  return shapes;
}

}  // namespace limoe::bench
