// What the loader's tests share: a standard set of pairs, small options, and batches held against each other.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "data/loader.h"
#include "tensor/factory.h"
#include "tests/support/shard_fixture.h"

namespace limoe {

inline constexpr int kCount = 23;

inline std::string write_standard_set(const testing::ScratchFolder& folder) {
  write_pairs(folder / "train", kCount, 10);
  return folder / "train";
}

inline LoaderOptions small_options() {
  LoaderOptions options;
  options.batch_size = 4;
  options.image_size = 8;
  options.text.max_len = 12;
  options.seed = 3;
  return options;
}

inline Loader make_loader(const std::string& source, const LoaderOptions& options) {
  return Loader(std::make_shared<const Dataset>(source, DatasetOptions{}), make_byte_tokenizer(), options);
}

inline void check_same(const Batch& a, const Batch& b) {
  CHECK(a.position == b.position);
  CHECK(a.sample_index == b.sample_index);
  CHECK(a.captions == b.captions);
  CHECK(a.labels == b.labels);
  CHECK(to_vector<float>(a.images) == to_vector<float>(b.images));
  REQUIRE(a.patches.defined() == b.patches.defined());
  if (a.patches.defined()) CHECK(to_vector<int32_t>(a.patches) == to_vector<int32_t>(b.patches));
  CHECK(to_vector<int32_t>(a.ids) == to_vector<int32_t>(b.ids));
  CHECK(to_vector<int32_t>(a.text_valid) == to_vector<int32_t>(b.text_valid));
}

}  // namespace limoe
