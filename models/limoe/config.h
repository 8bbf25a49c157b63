// What a LIMoE is made of. A plain struct with defaults; one table of its fields (visit_fields) drives flags,
// the config file, --help and what a checkpoint says of itself.
//
// Letters: D width, M MLP width, E experts, K experts per token, J joint width, S image size, P patch size, L
// text length, V vocabulary.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <vector>

#include "ops/moe_route.h"

namespace limoe {

struct LimoeConfig {
  // Inputs
  int64_t image_size = 48;
  int64_t patch_size = 8;
  int64_t text_length = 16;
  bool text_punctuation = true;
  int64_t vocabulary = 1000;

  // The tower
  int64_t width = 192;
  int64_t layers = 4;
  int64_t heads = 6;
  int64_t mlp_width = 768;
  int64_t joint_width = 192;
  double initial_scale = 10;  // of the logits: exp(log_scale) at the start
  bool grad_checkpointing = false;

  // The mixture of experts
  std::string moe_layers = "every 2";
  bool dense = false;
  int64_t experts = 8;
  int64_t experts_per_token = 1;
  bool renormalize_gates = false;
  double capacity_factor = 1.05;
  double eval_capacity_factor = 0;
  std::string capacity_rounding = "ceil";
  int64_t capacity_multiple = 4;
  bool batch_priority = true;
  double router_noise = 0;
  int64_t group_pairs = 0;

  // Auxiliary losses: a weight of 0 leaves the loss out
  double importance_weight = 0;
  double load_weight = 0;
  double z_weight = 0;
  double gshard_weight = 0;
  double local_text_weight = 0;
  double local_image_weight = 0;
  double global_text_weight = 0;
  double global_image_weight = 0;
  double global_text_experts = 3;
  double global_image_experts = 5;

  int64_t image_tokens() const { return (image_size / patch_size) * (image_size / patch_size); }
};

// Throws ValueError naming the key, its value and what was expected.
void validate(const LimoeConfig& config);

// The 0-based indices of the MoE blocks: "every n" = n-1, 2n-1, ...; "last n" = the last n odd blocks;
// "1,3,5" = these; "none". Empty when `dense` is set. (V-MoE's naming: Riquelme et al. 2021.)
std::vector<int64_t> moe_block_indices(const LimoeConfig& config);

// How tokens are routed in training, or in evaluation with its own capacity factor.
RouteOptions route_options(const LimoeConfig& config, bool training);

// The sizes S, B, L, H at patch sizes 32, 16, 14: "limoe-s32", "limoe-b32", "limoe-b16", "limoe-l16",
// "limoe-h14".
std::vector<std::string> preset_names();
LimoeConfig preset(const std::string& name);  // throws ValueError naming the nearest known preset

// visit(key, field, help) for every field, in the order a reader wants them. Keys are spelled as flags are.
template <class Config, class Visit>
requires std::same_as<std::remove_const_t<Config>, LimoeConfig>
void visit_fields(Config& c, const Visit& visit) {
  visit("image-size", c.image_size, "side of the square input picture, in pixels");
  visit("patch-size", c.patch_size, "side of a patch, in pixels; divides image-size");
  visit("text-length", c.text_length, "tokens of a text, end of sentence included");
  visit("text-punctuation", c.text_punctuation,
        "false: punctuation of a text becomes blanks before it is cut into tokens");
  visit("vocabulary", c.vocabulary, "token ids; set from the tokenizer when training");
  visit("width", c.width, "width D of the tower");
  visit("layers", c.layers, "Transformer blocks");
  visit("heads", c.heads, "attention heads; divides width");
  visit("mlp-width", c.mlp_width, "hidden width M of an MLP, and of every expert");
  visit("joint-width", c.joint_width, "width J of the space pictures and texts are compared in");
  visit("initial-scale", c.initial_scale, "logit scale exp(t) at the start; t is learned");
  visit("grad-checkpointing", c.grad_checkpointing,
        "recompute each block in the backward pass: less memory, a third more work");
  visit("moe-layers", c.moe_layers,
        "blocks whose MLP is a mixture: 'every n', 'last n' (odd blocks), a list '1,3', or 'none'");
  visit("dense", c.dense, "the dense twin: the same model with ordinary MLPs");
  visit("experts", c.experts, "experts E of a MoE layer");
  visit("experts-per-token", c.experts_per_token, "experts K a token is sent to");
  visit("renormalize-gates", c.renormalize_gates,
        "divide a token's K gates by their sum; with K = 1 the router then learns nothing from the task");
  visit("capacity-factor", c.capacity_factor,
        "an expert takes at most about this times tokens*K/E tokens of a group; 0 = no limit");
  visit("eval-capacity-factor", c.eval_capacity_factor, "the same in evaluation");
  visit("capacity-rounding", c.capacity_rounding, "'ceil', or 'round' (half to even)");
  visit("capacity-multiple", c.capacity_multiple, "capacities are raised to a multiple of this");
  visit("batch-priority", c.batch_priority,
        "the most confident tokens take their places first; false: in order of arrival");
  visit("router-noise", c.router_noise, "s: noise of deviation s/E on the router's logits in training");
  visit("group-pairs", c.group_pairs,
        "pairs whose tokens are routed together; divides the micro-batch; 0 = all of it");
  visit("importance-weight", c.importance_weight, "weight of the importance loss");
  visit("load-weight", c.load_weight, "weight of the load loss; needs router-noise");
  visit("z-weight", c.z_weight, "weight of the router z-loss");
  visit("gshard-weight", c.gshard_weight, "weight of GShard's balance loss");
  visit("local-text-weight", c.local_text_weight, "weight of the local entropy loss on text tokens");
  visit("local-image-weight", c.local_image_weight, "weight of the local entropy loss on image tokens");
  visit("global-text-weight", c.global_text_weight,
        "weight of the thresholded global entropy loss on text tokens");
  visit("global-image-weight", c.global_image_weight,
        "weight of the thresholded global entropy loss on image tokens");
  visit("global-text-experts", c.global_text_experts, "soft minimum S of experts for text: threshold log S");
  visit("global-image-experts", c.global_image_experts,
        "soft minimum S of experts for images: threshold log S");
}

}  // namespace limoe
