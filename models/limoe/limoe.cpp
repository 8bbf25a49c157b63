#include "models/limoe/limoe.h"

#include "autograd/recompute.h"
#include "models/limoe/parameters.h"
#include "ops/add.h"
#include "ops/add_positions.h"
#include "ops/check.h"
#include "ops/concat.h"
#include "ops/embedding.h"
#include "ops/l2_normalize.h"
#include "ops/linear.h"
#include "ops/mean_pool.h"
#include "ops/patchify.h"
#include "ops/reshape.h"
#include "ops/slice.h"
#include "tensor/factory.h"

namespace limoe {
namespace {

// Router noise has streams of its own, apart from those of initialisation and data.
uint64_t noise_stream(uint64_t counter, int64_t block) {
  return uint64_t{1} << 63 | counter << 10 | uint64_t(block);
}

// Of the routers' dtype, which is the parameters'.
Tensor router_noise(const LimoeConfig& config, const ForwardOptions& options, int64_t block, const Var& x,
                    DType dtype) {
  if (const auto given = options.given_noise.find(block); given != options.given_noise.end())
    return to_device(given->second, x.value().device());
  return random_normal({x.dim(0), config.experts}, 0, config.router_noise / double(config.experts),
                       options.noise_seed, noise_stream(options.noise_counter, block), dtype,
                       x.value().device());
}

Var rows_of(const Var& x) {
  return reshape(x, {x.dim(0) * x.dim(1), x.dim(2)});
}  // [B, T, D] -> [B*T, D]

// i32: the elements of `from` at `places`, counted in row-major order.
Tensor elements_at(const Tensor& places, const Tensor& from) {
  const std::vector<int32_t> all = to_vector<int32_t>(from);
  std::vector<int32_t> chosen = to_vector<int32_t>(places);
  for (int32_t& place : chosen) place = all[size_t(place)];
  return from_vector(places.shape(), chosen);
}

void check_patches(const Tensor& patches, int64_t images, int64_t count) {
  expect_dtype("limoe", "patches", patches, DType::i32);
  expect_rank("limoe", "patches", patches, 2);
  expect_dim("limoe", "patches", patches, 0, images, "because there are as many images");
  if (patches.dim(1) < 1 || patches.dim(1) > count)
    throw ShapeError("limoe: patches is ", patches.shape(), "; expected 1..", count, " of each image");
  for (const int32_t patch : to_vector<int32_t>(patches))
    if (patch < 0 || patch >= count)
      throw ValueError("limoe: patches holds ", patch, "; expected 0..", count - 1);
}

// i32 [B, K]: where the patches of each picture lie among those of all, `count` a picture.
Tensor rows_of_patches(const Tensor& patches, int64_t count) {
  std::vector<int32_t> rows = to_vector<int32_t>(patches);
  for (size_t i = 0; i < rows.size(); ++i) rows[i] += int32_t(int64_t(i) / patches.dim(1) * count);
  return from_vector(patches.shape(), rows);
}

}  // namespace

Limoe::Limoe(const LimoeConfig& config, const ParameterArena& arena, std::optional<DType> activations,
             MatmulPrecision precision)
    : config_(config),
      device_(arena.values().device()),
      activations_(activations.value_or(arena.values().dtype())),
      image_embed_(arena, "image_embed", precision),
      image_positions_(arena["image_positions"]),
      token_table_(arena["token_embed.table"]),
      text_positions_(arena["text_positions"]),
      final_norm_(arena, "final_norm"),
      image_projection_(arena["image_projection.kernel"]),
      text_projection_(arena["text_projection.kernel"]),
      log_scale_(arena["log_scale"]) {
  validate(config);
  const std::vector<int64_t> moe_blocks = moe_block_indices(config);
  for (int64_t i = 0; i < config.layers; ++i) {
    const std::string name = "blocks." + std::to_string(i);
    Block block{.attention_norm = LayerNorm(arena, name + ".attention_norm"),
                .attention = SelfAttention(arena, name + ".attention", config.heads, precision),
                .mlp_norm = LayerNorm(arena, name + ".mlp_norm"),
                .mlp = {},
                .moe = {},
                .index = i};
    if (std::find(moe_blocks.begin(), moe_blocks.end(), i) != moe_blocks.end())
      block.moe.emplace(arena, name + ".moe", precision);
    else
      block.mlp.emplace(arena, name + ".mlp", precision);
    blocks_.push_back(std::move(block));
  }
}

void Limoe::check(const LimoeInputs& inputs) const {
  if (!inputs.images.defined() && !inputs.ids.defined())
    throw ValueError("limoe: neither images nor ids were given; expected at least one");
  if (inputs.images.defined()) {
    expect_rank("limoe", "images", inputs.images, 4);
    expect_shape("limoe", "images", inputs.images,
                 {inputs.images.dim(0), config_.image_size, config_.image_size, 3}, "because image-size is ",
                 config_.image_size);
    if (inputs.patches.defined()) check_patches(inputs.patches, inputs.images.dim(0), config_.image_tokens());
  }
  if (inputs.patches.defined() && !inputs.images.defined())
    throw ValueError("limoe: patches is ", inputs.patches.shape(),
                     " without images; expected both or neither");
  if (inputs.ids.defined()) {
    expect_rank("limoe", "ids", inputs.ids, 2);
    expect_dim("limoe", "ids", inputs.ids, 1, config_.text_length, "because text-length is that");
    expect_shape("limoe", "text_valid", inputs.text_valid, inputs.ids.shape(), "because ids is that");
  }
}

Var Limoe::embed_images(const Tensor& images, const Tensor& patches) const {
  const NameScope scope("image_embed");
  const Var pixels = as_dtype(Var(to_device(images, device_)), activations_);
  const Var cut = patchify(pixels, config_.patch_size);
  if (!patches.defined())
    return rows_of(add_positions(image_embed_(cut), as_dtype(image_positions_, activations_)));
  const Var looked_at = embedding(rows_of(cut), to_device(rows_of_patches(patches, cut.dim(1)), device_));
  const Var positions = embedding(image_positions_, to_device(patches, device_));
  return rows_of(add(image_embed_(looked_at), as_dtype(positions, activations_)));
}

Var Limoe::embed_texts(const Tensor& ids, const TokenLayout& layout) const {
  const NameScope scope("token_embed");
  const Tensor real_ids = to_device(elements_at(layout.text_places, ids), device_);
  return as_dtype(add(embedding(token_table_, real_ids), embedding(text_positions_, layout.text_positions)),
                  activations_);
}

std::vector<Var> Limoe::run_block(const Block& block, const Var& x, const ForwardOptions& options,
                                  const TokenLayout& layout, RouterReport& report,
                                  std::vector<AuxiliaryLoss>& losses) const {
  const NameScope scope("blocks." + std::to_string(block.index));
  const std::vector<Var> added =
      block.mlp_norm(x, block.attention(block.attention_norm(x), layout.sequences));
  const Var &attended = added[0], &normed = added[1];
  if (block.mlp) return {add(attended, (*block.mlp)(normed))};
  const NameScope moe_scope("moe");
  MoeInputs inputs{.group_of = layout.group_of,
                   .groups = layout.groups,
                   .route = route_options(config_, options.training),
                   .renormalize_gates = config_.renormalize_gates,
                   .noise = {}};
  if (options.training && config_.router_noise > 0)
    inputs.noise = router_noise(config_, options, block.index, normed, log_scale_.dtype());
  if (report.routing.expert_of.defined()) inputs.reuse = &report.routing;
  const MoeOutputs moe = run_moe(*block.moe, normed, inputs);
  std::vector<AuxiliaryLoss> computed;
  const Var auxiliary = auxiliary_losses(config_, moe, layout, block.index, computed);
  if (!report.probs.defined()) {
    report = {block.index, moe.probs.value(), moe.routing};
    losses.insert(losses.end(), computed.begin(), computed.end());
  }
  std::vector<Var> outputs{add(attended, moe.y)};
  if (auxiliary.value().defined()) outputs.push_back(auxiliary);
  return outputs;
}

Var Limoe::run_blocks(Var x, const ForwardOptions& options, LimoeOutputs& out) const {
  const bool replay = options.tape && !options.tape->empty();
  const auto losses = std::make_shared<std::vector<AuxiliaryLoss>>();
  size_t moe_blocks_run = 0;
  for (const Block& block : blocks_) {
    const auto report = std::make_shared<RouterReport>();
    if (block.moe && replay) report->routing = options.tape->at(moe_blocks_run);
    const auto body = [this, &block, options, layout = out.layout, report,
                       losses](const std::vector<Var>& in) {
      return run_block(block, in[0], options, layout, *report, *losses);
    };
    const std::vector<Var> outputs = config_.grad_checkpointing ? recompute(body, {x}) : body({x});
    x = outputs[0];
    if (outputs.size() > 1)
      out.auxiliary = out.auxiliary.value().defined() ? add(out.auxiliary, outputs[1]) : outputs[1];
    if (!block.moe) continue;
    ++moe_blocks_run;
    if (options.tape && !replay) options.tape->push_back(report->routing);
    out.routers.push_back(*report);
  }
  out.auxiliary_losses = *losses;
  return x;
}

LimoeOutputs Limoe::forward(const LimoeInputs& inputs, const ForwardOptions& options) const {
  check(inputs);
  const int64_t images = inputs.images.defined() ? inputs.images.dim(0) : 0;
  const int64_t texts = inputs.ids.defined() ? inputs.ids.dim(0) : 0;
  LimoeOutputs out;
  const int64_t image_tokens = inputs.patches.defined() ? inputs.patches.dim(1) : config_.image_tokens();
  out.layout =
      make_token_layout(images, image_tokens, texts, inputs.text_valid, config_.group_pairs, device_);
  std::vector<Var> tokens;
  if (images > 0) tokens.push_back(embed_images(inputs.images, inputs.patches));
  if (texts > 0) tokens.push_back(embed_texts(inputs.ids, out.layout));
  if (tokens.empty()) throw ShapeError("limoe: images and ids hold no sequence; expected at least one");
  Var x = tokens.size() == 1 ? tokens[0] : concat(tokens, 0);  // [N, D]
  x = final_norm_(run_blocks(x, options, out));
  const Var pooled = mean_pool(x, {}, out.layout.sequences);  // [images + texts, D]
  const auto embeddings = [](const Var& features, const Var& projection) {
    return l2_normalize(linear(as_dtype(features, projection.dtype()), projection));
  };
  if (images > 0) {
    out.image_features = slice(pooled, 0, 0, images);
    out.image_embeddings = embeddings(out.image_features, image_projection_);
  }
  if (texts > 0) out.text_embeddings = embeddings(slice(pooled, 0, images, images + texts), text_projection_);
  return out;
}

}  // namespace limoe
