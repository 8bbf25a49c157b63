// LIMoE: one sparse Transformer for pictures and texts (Mustafa et al. 2022, arXiv 2206.02770).
//
//   pictures [B, S, S, 3] -> patches -> linear + positions --+
//                                                            +-> one token matrix [N, D] -> blocks ->
//                                                            LayerNorm
//   texts    [B, L] ids   -> table   + positions ------------+
//   -> mean over the (real) tokens of each sequence -> one projection per modality -> unit vectors [B, J]
//
// A block: x = x + attention(LN(x)); x = x + F(LN(x)), F an MLP or a mixture of experts. Attention stays
// within a sequence; routing mixes all of a group's tokens. Nothing inside the tower is told which modality a
// token has.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "models/limoe/auxiliary_losses.h"
#include "models/limoe/config.h"
#include "models/limoe/token_layout.h"
#include "models/nn/layers.h"
#include "models/nn/moe.h"

namespace limoe {

struct LimoeInputs {
  Tensor images;        // f32 [B, S, S, 3] in [-1, 1], or undefined
  Tensor ids;           // i32 [B, L], or undefined
  Tensor text_valid;    // i32 [B, L]: 0 marks padding
  Tensor patches = {};  // i32 [B, K]: the patches of each picture that are looked at; undefined: all
};

// The routing decisions of one forward pass, by MoE block, to be used again by another pass over the same
// inputs.
using RoutingTape = std::vector<Routing>;

struct ForwardOptions {
  bool training = false;    // capacity factor and router noise of training
  uint64_t noise_seed = 0;  // router noise is a function of (seed, counter, block)
  uint64_t noise_counter = 0;
  std::map<int64_t, Tensor> given_noise = {};  // by block: [N, E] instead of numbers drawn here
  RoutingTape* tape = nullptr;                 // empty: filled; filled: used instead of deciding anew
};

// What a router did in one pass.
struct RouterReport {
  int64_t block = 0;
  Tensor probs;  // [N, E]
  Routing routing;
};

struct LimoeOutputs {
  Var image_embeddings;  // [B, J] unit vectors; undefined when there were no pictures
  Var image_features;    // [B, D], what the projection reads: the mean over a picture's tokens; likewise
  Var text_embeddings;   // [B, J], likewise
  Var auxiliary;         // [], the weighted sum over layers; undefined when there is none
  std::vector<AuxiliaryLoss> auxiliary_losses;
  std::vector<RouterReport> routers;
  TokenLayout layout;
};

class Limoe {
 public:
  // The arena must hold parameter_specs(config) and outlive nothing: Vars share its memory. The model
  // computes on the arena's device, with activations of `activations`: bf16, on a device alone, beside master
  // weights, statistics, routers, embeddings and losses in f32. Undefined means the arena's own dtype. On the
  // CPU `precision` is that of the products of linear layers and experts.
  Limoe(const LimoeConfig& config, const ParameterArena& arena, std::optional<DType> activations = {},
        MatmulPrecision precision = MatmulPrecision::fp32);

  // Pictures, texts, or pairs of both. Throws ShapeError and ValueError for inputs that do not fit the
  // config.
  LimoeOutputs forward(const LimoeInputs& inputs, const ForwardOptions& options = {}) const;

  const LimoeConfig& config() const { return config_; }
  const Var& log_scale() const { return log_scale_; }

 private:
  struct Block {
    LayerNorm attention_norm;
    SelfAttention attention;
    LayerNorm mlp_norm;
    std::optional<Mlp> mlp;  // one of the two
    std::optional<MoeLayer> moe;
    int64_t index;
  };

  void check(const LimoeInputs& inputs) const;
  Var embed_images(const Tensor& images, const Tensor& patches) const;  // [B * patches, D]
  Var embed_texts(const Tensor& ids, const TokenLayout& layout) const;  // [real tokens, D]
  Var run_blocks(Var x, const ForwardOptions& options, LimoeOutputs& out) const;
  // One block on x; its auxiliary loss, if any, is the second value. Reports once, however often it is run.
  std::vector<Var> run_block(const Block& block, const Var& x, const ForwardOptions& options,
                             const TokenLayout& layout, RouterReport& report,
                             std::vector<AuxiliaryLoss>& losses) const;

  LimoeConfig config_;
  Device device_;
  DType activations_;
  Linear image_embed_;
  Var image_positions_, token_table_, text_positions_;
  std::vector<Block> blocks_;
  LayerNorm final_norm_;
  Var image_projection_, text_projection_, log_scale_;
};

}  // namespace limoe
