// What the router losses on the device share: sizes and scratch memory. The losses are defined in ops/.
//
// A loss is computed on every group alone and averaged over the groups that hold a token, without a word from
// the host: (1) blocks add up what their share of the tokens gives to the statistics of one group, (2) a
// block a group adds the shares in order and finishes the group, (3) one block takes the mean over groups.
// Gradients repeat that and (4) write every element once. Sums are in float, their order hangs on the sizes
// alone.
#pragma once

#include <cstdint>

#include "cuda/stream.h"

namespace limoe::cuda {

struct RouterSizes {
  int64_t tokens, experts, groups;  // N, E, G
};

int64_t router_scratch_size(const RouterSizes& sizes);  // in floats

// Blocks among which the tokens of one group are shared.
int router_shares(const RouterSizes& sizes);

}  // namespace limoe::cuda
