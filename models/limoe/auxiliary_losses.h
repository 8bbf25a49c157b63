// The auxiliary losses of one MoE layer (limoe paper, section on routing; V-MoE; ST-MoE; GShard).
//
//   importance, load, z, gshard     over all counted tokens
//   local_text, local_image         mean entropy of a modality's router probabilities: minimised, tokens are
//   decided global_text, global_image       max(0, log S - H(mean probabilities)): a modality is spread over
//   S experts or more
//
// All but load are computed from the noise-free router. A loss whose weight is 0 is not computed.
#pragma once

#include <string>
#include <vector>

#include "models/limoe/config.h"
#include "models/limoe/token_layout.h"
#include "models/nn/moe.h"

namespace limoe {

struct AuxiliaryLoss {
  std::string name;
  int64_t block = 0;
  double weight = 0;
  Tensor value;  // [], without the weight
};

// The weighted sum, [], or an undefined Var when every weight is 0. Appends each loss to `losses`.
Var auxiliary_losses(const LimoeConfig& config, const MoeOutputs& moe, const TokenLayout& layout,
                     int64_t block, std::vector<AuxiliaryLoss>& losses);

}  // namespace limoe
