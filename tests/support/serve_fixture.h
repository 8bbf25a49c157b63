// A small untrained model and pictures in memory, as `limoe serve` shows them.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "models/limoe/parameters.h"
#include "models/serve/site.h"
#include "tensor/error.h"
#include "tests/support/shard_fixture.h"

namespace limoe::testing {

inline LimoeConfig served_config(bool dense = false) {
  LimoeConfig config;
  config.image_size = 12;
  config.patch_size = 4;
  config.text_length = 24;
  config.vocabulary = 259;
  config.width = 16;
  config.layers = 4;
  config.heads = 2;
  config.mlp_width = 32;
  config.joint_width = 8;
  config.experts = 4;
  config.experts_per_token = 2;
  config.global_text_experts = config.global_image_experts = 2;
  config.dense = dense;
  return config;
}

inline LoadedModel served_model(const LimoeConfig& config = served_config()) {
  LoadedModel loaded;
  loaded.config = config;
  loaded.arena = std::make_unique<ParameterArena>(parameter_specs(loaded.config), 3);
  loaded.model = std::make_unique<Limoe>(loaded.config, *loaded.arena);
  loaded.tokenizer = make_byte_tokenizer();
  loaded.step = 7;
  loaded.path = "runs/small/checkpoints/step-00000007";
  return loaded;
}

// Picture i is numbered_image(12, 12, first + i), its caption "thing N, numbered".
inline Shelf numbered_shelf(const std::string& name, int64_t size, int first = 0) {
  return {.name = name,
          .size = size,
          .read = [first](int64_t i) { return numbered_image(12, 12, first + int(i)); },
          .caption = [first](int64_t i) { return "thing " + std::to_string(first + int(i)) + ", numbered"; }};
}

// A shelf of pictures that cannot be read.
inline Shelf broken_shelf(int64_t size) {
  return {.name = "broken",
          .size = size,
          .read = [](int64_t i) -> Image { throw FileError("picture ", i, ": is broken"); },
          .caption = [](int64_t) { return std::string("never seen"); }};
}

inline constexpr int64_t kServedPictures = 40;

inline std::shared_ptr<const Collection> served_collection(const LimoeConfig& config) {
  return std::make_shared<const Collection>(served_model(config),
                                            std::vector<Shelf>{numbered_shelf("things", kServedPictures)},
                                            100, EmbedProgress{});
}

inline const std::shared_ptr<const Site>& served_site(bool dense = false) {
  static const auto sparse_site =
      std::make_shared<const Site>(served_collection(served_config(false)), "small");
  static const auto dense_site =
      std::make_shared<const Site>(served_collection(served_config(true)), "small");
  return dense ? dense_site : sparse_site;
}

}  // namespace limoe::testing
