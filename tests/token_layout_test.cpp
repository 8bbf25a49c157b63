#include "models/limoe/token_layout.h"

#include <doctest/doctest.h>

#include "models/limoe/limoe.h"
#include "models/limoe/parameters.h"
#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/compare.h"

using namespace limoe;
using namespace limoe::testing;

namespace {

using Numbers = std::vector<int32_t>;

Numbers numbers(const Tensor& tensor) {
  return to_vector<int32_t>(tensor);
}

LimoeConfig small_config() {
  LimoeConfig config;
  config.image_size = 8;
  config.patch_size = 4;
  config.text_length = 4;
  config.vocabulary = 30;
  config.width = 16;
  config.layers = 2;
  config.heads = 2;
  config.mlp_width = 32;
  config.joint_width = 8;
  config.experts = 4;
  return config;
}

}  // namespace

TEST_CASE("token layout: padding has no row, wherever it stands") {
  const Tensor valid = from_vector<int32_t>({4, 3}, {1, 1, 0, 0, 1, 1, 0, 0, 0, 1, 0, 0});
  const TokenLayout layout = make_token_layout(4, 2, 4, valid, 2);
  const std::vector<SequenceRange> ranges = sequence_ranges(layout.sequences);
  Numbers lengths;
  for (const SequenceRange& range : ranges) lengths.push_back(int32_t(range.length));
  CHECK(lengths == Numbers{2, 2, 2, 2, 2, 2, 0, 1});
  CHECK(layout.sequences.size() == 4);  // neighbours of one length are one run, but not across modalities
  CHECK(numbers(layout.text_places) == Numbers{0, 1, 4, 5, 9});
  CHECK(numbers(layout.text_positions) == Numbers{0, 1, 1, 2, 0});
  CHECK(numbers(layout.group_of) == Numbers{0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 1});
  CHECK(numbers(layout.image_group_of) == Numbers{0, 0, 0, 0, 1, 1, 1, 1, -1, -1, -1, -1, -1});
  CHECK(numbers(layout.text_group_of) == Numbers{-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 1});
}

TEST_CASE("token layout: one modality alone is one group, and a batch of padding has no rows") {
  CHECK(numbers(make_token_layout(2, 2, 0, {}, 1).group_of) == Numbers{0, 0, 0, 0});
  const TokenLayout layout = make_token_layout(0, 2, 3, zeros({3, 5}, DType::i32), 1);
  CHECK(layout.group_of.shape() == Shape{0});
  CHECK(sequence_count(layout.sequences) == 3);
  CHECK(token_count(layout.sequences) == 0);
  CHECK_THROWS_WITH_AS(make_token_layout(0, 2, 3, zeros({2, 5}, DType::i32), 1),
                       "limoe: text_valid is [2, 5]; expected size 3 on axis 0 because there are that many "
                       "texts",
                       ShapeError);
}

TEST_CASE("token layout: a text keeps its positions where padding stands before it, and may be empty") {
  const LimoeConfig config = small_config();
  const ParameterArena arena(parameter_specs(config), 11);
  const Limoe model(config, arena);
  const auto embed = [&](const Numbers& ids, const Numbers& valid) {
    const int64_t texts = int64_t(ids.size()) / config.text_length;
    const Shape shape{texts, config.text_length};
    return model
        .forward({.images = {}, .ids = from_vector(shape, ids), .text_valid = from_vector(shape, valid)})
        .text_embeddings.value();
  };
  const Tensor both = embed({7, 8, 9, 3, 5, 6, 8, 9, 1, 1, 1, 1}, {1, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0});
  CHECK_CLOSE(both.slice(0, 0, 1), embed({7, 8, 9, 0}, {1, 1, 1, 0}), tolerance::f32_sum(64));
  CHECK_CLOSE(both.slice(0, 1, 2), embed({0, 0, 8, 9}, {0, 0, 1, 1}), tolerance::f32_sum(64));
  CHECK_FALSE(close(both.slice(0, 1, 2), embed({8, 9, 0, 0}, {1, 1, 0, 0}), tolerance::f32_sum(64)).ok);
  CHECK_SAME_BITS(both.slice(0, 2, 3), zeros({1, config.joint_width}));
  CHECK_SAME_BITS(embed({1, 1, 1, 1}, {0, 0, 0, 0}), zeros({1, config.joint_width}));
}
