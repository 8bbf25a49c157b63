// The parameters of a LIMoE, declared: names, shapes, initialisation, decay. Nothing is allocated, so a model
// of billions can be counted on a laptop.
//
// Names are the names in checkpoints. D, M, E, J, V, P as in config.h; i is the block:
//
//   image_embed.kernel [P*P*3, D]  image_embed.bias [D]  image_positions [patches, D]
//   token_embed.table [V, D]       text_positions [L, D]
//   blocks.i.attention_norm.scale/.bias [D]   blocks.i.attention.qkv.kernel [D, 3D] .bias
//   blocks.i.attention.out.kernel [D, D] .bias blocks.i.mlp_norm.scale/.bias [D]
//     dense:  blocks.i.mlp.up.kernel [D, M] .bias [M]          blocks.i.mlp.down.kernel [M, D] .bias [D]
//     MoE:    blocks.i.moe.router.kernel [D, E]
//             blocks.i.moe.up.kernel [E, D, M] .bias [E, M]    blocks.i.moe.down.kernel [E, M, D] .bias [E,
//             D]
//   final_norm.scale/.bias [D]  image_projection.kernel [D, J]  text_projection.kernel [D, J]  log_scale []
//
// Initialisation as in the ViT code of the same group: Xavier uniform kernels, biases of MLPs N(0, 1e-6),
// positions and token table N(0, 1/sqrt(D)).
#pragma once

#include <vector>

#include "autograd/parameter.h"
#include "models/limoe/config.h"

namespace limoe {

std::vector<ParameterSpec> parameter_specs(const LimoeConfig& config);

}  // namespace limoe
