// What must hold of any LIMoE, golden numbers apart.
#include "models/limoe/limoe.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/no_grad.h"
#include "models/limoe/parameters.h"
#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/compare.h"

using namespace limoe;
using namespace limoe::testing;

namespace {

LimoeConfig small_config() {
  LimoeConfig config;
  config.image_size = 8;
  config.patch_size = 4;
  config.text_length = 5;
  config.vocabulary = 30;
  config.width = 16;
  config.layers = 2;
  config.heads = 2;
  config.mlp_width = 32;
  config.joint_width = 8;
  config.experts = 4;
  return config;
}

LimoeInputs inputs_for(const LimoeConfig& config, int64_t pairs) {
  std::vector<int32_t> ids, valid;
  for (int64_t i = 0; i < pairs * config.text_length; ++i) {
    ids.push_back(int32_t(i * 7 % config.vocabulary));
    valid.push_back(i % config.text_length <=
                    i / config.text_length % config.text_length);  // 1 to L real tokens
  }
  return {random_uniform({pairs, config.image_size, config.image_size, 3}, -1, 1, 3, 0),
          from_vector<int32_t>({pairs, config.text_length}, ids),
          from_vector<int32_t>({pairs, config.text_length}, valid)};
}

struct Model {
  explicit Model(const LimoeConfig& config) : arena(parameter_specs(config), 11), model(config, arena) {}
  ParameterArena arena;
  Limoe model;
};

}  // namespace

TEST_CASE("evaluation without a capacity limit: one example alone embeds as it does in a batch") {
  const LimoeConfig config = small_config();
  const Model m(config);
  const LimoeInputs all = inputs_for(config, 6);
  const LimoeOutputs together = m.model.forward(all);
  for (int64_t i = 0; i < 6; ++i) {
    const LimoeOutputs picture = m.model.forward({all.images.slice(0, i, i + 1), {}, {}});
    const LimoeOutputs text =
        m.model.forward({{}, all.ids.slice(0, i, i + 1), all.text_valid.slice(0, i, i + 1)});
    CHECK_CLOSE(picture.image_embeddings.value(), together.image_embeddings.value().slice(0, i, i + 1),
                tolerance::f32_sum(64));
    CHECK_CLOSE(text.text_embeddings.value(), together.text_embeddings.value().slice(0, i, i + 1),
                tolerance::f32_sum(64));
    CHECK_FALSE(text.image_embeddings.value().defined());
  }
}

TEST_CASE("what stands in the padding changes nothing") {
  const LimoeConfig config = small_config();
  const Model m(config);
  const LimoeInputs inputs = inputs_for(config, 4);
  LimoeInputs changed = inputs;
  changed.ids = clone(inputs.ids);
  const std::vector<int32_t> valid = to_vector<int32_t>(inputs.text_valid);
  for (size_t i = 0; i < valid.size(); ++i)
    if (!valid[i]) changed.ids.mutable_data<int32_t>()[i] = 29;
  CHECK_SAME_BITS(m.model.forward(changed).text_embeddings.value(),
                  m.model.forward(inputs).text_embeddings.value());
}

TEST_CASE("a model given all patches in order embeds as without a choice, by a bit") {
  const LimoeConfig config = small_config();
  const Model m(config);
  LimoeInputs inputs = inputs_for(config, 2);
  const LimoeOutputs without = m.model.forward(inputs);
  inputs.patches = from_vector<int32_t>({2, 4}, {0, 1, 2, 3, 0, 1, 2, 3});
  const LimoeOutputs with = m.model.forward(inputs);
  CHECK(to_vector<float>(with.image_embeddings.value()) ==
        to_vector<float>(without.image_embeddings.value()));
  CHECK(to_vector<float>(with.text_embeddings.value()) == to_vector<float>(without.text_embeddings.value()));
}

TEST_CASE("a model looks at the chosen patches of each picture, at their positions, and at no other") {
  const LimoeConfig config = small_config();
  const Model m(config);
  LimoeInputs inputs = inputs_for(config, 2);
  inputs.patches = from_vector<int32_t>({2, 2}, {0, 3, 1, 2});
  const auto embedded = [&](LimoeInputs given) {
    return to_vector<float>(m.model.forward(given).image_embeddings.value());
  };
  const std::vector<float> before = embedded(inputs);
  const auto embedded_with = [&](int64_t picture, int64_t row, int64_t column) {
    LimoeInputs changed = inputs;
    changed.images = clone(inputs.images);
    changed.images.mutable_data<float>()[((picture * 8 + row) * 8 + column) * 3] += 1;
    return embedded(changed);
  };
  CHECK(embedded_with(0, 1, 1) != before);  // patch 0
  CHECK(embedded_with(0, 1, 5) == before);  // patch 1
  CHECK(embedded_with(0, 5, 1) == before);  // patch 2
  CHECK(embedded_with(0, 5, 5) != before);  // patch 3
  CHECK(embedded_with(1, 1, 1) == before);
  CHECK(embedded_with(1, 1, 5) != before);

  // Which patch is where matters: the same pixels at other places embed otherwise.
  LimoeInputs plain = inputs;
  plain.images = full({2, 8, 8, 3}, 0.5, DType::f32);
  const std::vector<float> here = embedded(plain);
  plain.patches = from_vector<int32_t>({2, 2}, {1, 3, 1, 2});
  const std::vector<float> there = embedded(plain);
  CHECK(std::vector<float>(here.begin(), here.begin() + 8) !=
        std::vector<float>(there.begin(), there.begin() + 8));
  CHECK(std::vector<float>(here.begin() + 8, here.end()) ==
        std::vector<float>(there.begin() + 8, there.end()));
}

TEST_CASE("a capacity that drops nothing is the same as none, by a bit") {
  LimoeConfig config = small_config();
  config.eval_capacity_factor = double(config.experts);  // every token could go to one expert
  const Model limited(config);
  config.eval_capacity_factor = 0;
  const Model unlimited(config);
  const LimoeInputs inputs = inputs_for(config, 5);
  CHECK_SAME_BITS(limited.model.forward(inputs).image_embeddings.value(),
                  unlimited.model.forward(inputs).image_embeddings.value());
}

TEST_CASE("one expert without a capacity limit is the dense layer") {
  LimoeConfig config = small_config();
  config.experts = 1;
  config.capacity_factor = 0;
  config.global_text_experts = config.global_image_experts = 1;
  const Model mixture(config);
  config.dense = true;
  Model dense(config);
  for (const Parameter& parameter : dense.arena.parameters()) {
    std::string name = parameter.spec.name;
    if (const size_t at = name.find(".mlp."); at != std::string::npos && name.starts_with("blocks.1"))
      name.replace(at, 5, ".moe.");
    dense.arena.assign(parameter.spec.name, mixture.arena[name].value().reshape(parameter.spec.shape));
  }
  const LimoeInputs inputs = inputs_for(config, 4);
  const LimoeOutputs a = mixture.model.forward(inputs, {.training = true}),
                     b = dense.model.forward(inputs, {.training = true});
  CHECK_CLOSE(a.image_embeddings.value(), b.image_embeddings.value(), tolerance::f32_sum(64));
  CHECK_CLOSE(a.text_embeddings.value(), b.text_embeddings.value(), tolerance::f32_sum(64));
  CHECK(b.routers.empty());
}

TEST_CASE(
    "router noise is the same for the same counter, differs between counters, and is absent in evaluation") {
  LimoeConfig config = small_config();
  config.router_noise = 4;
  const Model m(config);
  const LimoeInputs inputs = inputs_for(config, 4);
  const auto probs = [&](bool training, uint64_t counter) {
    const NoGradScope no_grad;
    return m.model.forward(inputs, {.training = training, .noise_seed = 5, .noise_counter = counter})
        .routers[0]
        .probs;
  };
  CHECK_SAME_BITS(probs(true, 1), probs(true, 1));
  CHECK_FALSE(same_bits(probs(true, 1), probs(true, 2)).ok);
  CHECK_SAME_BITS(probs(false, 1), probs(false, 2));
}

TEST_CASE("inputs that do not fit the config are refused by name") {
  const LimoeConfig config = small_config();
  const Model m(config);
  const LimoeInputs inputs = inputs_for(config, 2);
  CHECK_THROWS_WITH_AS(m.model.forward({}), "limoe: neither images nor ids were given; expected at least one",
                       ValueError);
  CHECK_THROWS_WITH_AS(m.model.forward({zeros({2, 9, 9, 3}), {}, {}}),
                       "limoe: images is [2, 9, 9, 3]; expected [2, 8, 8, 3] because image-size is 8",
                       ShapeError);
  CHECK_THROWS_WITH_AS(
      m.model.forward({inputs.images, inputs.ids.slice(0, 0, 1), inputs.text_valid.slice(0, 0, 1)}),
      "limoe: images are 2 and texts 1; expected as many of each, or one modality alone", ShapeError);
  const auto with_patches = [&](const Tensor& patches) {
    m.model.forward({inputs.images, inputs.ids, inputs.text_valid, patches});
  };
  CHECK_THROWS_WITH_AS(with_patches(from_vector<int32_t>({2, 2}, {0, 3, 1, 4})),
                       "limoe: patches holds 4; expected 0..3", ValueError);
  CHECK_THROWS_WITH_AS(with_patches(zeros({1, 2}, DType::i32)),
                       "limoe: patches is [1, 2]; expected size 2 on axis 0 because there are as many images",
                       ShapeError);
  CHECK_THROWS_WITH_AS(with_patches(zeros({2, 5}, DType::i32)),
                       "limoe: patches is [2, 5]; expected 1..4 of each image", ShapeError);
  CHECK_THROWS_AS(with_patches(zeros({2, 2}, DType::f32)), DTypeError);
  CHECK_THROWS_WITH_AS(m.model.forward({{}, inputs.ids, inputs.text_valid, zeros({2, 2}, DType::i32)}),
                       "limoe: patches is [2, 2] without images; expected both or neither", ValueError);
}

TEST_CASE(
    "G16: shapes of a tiny ViT-MoE: pictures of 4 x 4, patches of 2, width 8, MLP 16, 4 experts in block 1") {
  LimoeConfig config = small_config();
  config.image_size = 4;
  config.patch_size = 2;
  config.width = 8;
  config.mlp_width = 16;
  config.moe_layers = "1";
  Model m(config);
  CHECK(m.arena["blocks.1.moe.router.kernel"].value().shape() == Shape{8, 4});
  CHECK(m.arena["blocks.1.moe.up.kernel"].value().shape() == Shape{4, 8, 16});
  CHECK(m.arena["blocks.1.moe.up.bias"].value().shape() == Shape{4, 16});
  CHECK(m.arena["blocks.1.moe.down.kernel"].value().shape() == Shape{4, 16, 8});
  CHECK(m.arena["blocks.1.moe.down.bias"].value().shape() == Shape{4, 8});
  CHECK(m.arena["blocks.0.mlp.up.kernel"].value().shape() == Shape{8, 16});
  CHECK(m.arena["image_positions"].value().shape() == Shape{4, 8});
}

TEST_CASE("G17: a scale of 2 is stored as its logarithm; an image head of zeros gives embeddings of zeros") {
  LimoeConfig config = small_config();
  config.initial_scale = 2;
  Model m(config);
  CHECK(std::abs(item(m.arena["log_scale"].value()) - std::log(2.0)) < 1e-7);
  Tensor head = m.arena["image_projection.kernel"].value();
  copy_into(head, zeros(head.shape()));
  const LimoeOutputs outputs = m.model.forward(inputs_for(config, 3));
  CHECK_SAME_BITS(outputs.image_embeddings.value(), zeros({3, config.joint_width}));
}
