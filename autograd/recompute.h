// Activation recomputation (Chen et al., "Training deep nets with sublinear memory cost", 2016) as an
// ordinary op.
//
// The forward pass runs `body` without recording, so none of its activations are kept; the backward pass runs
// it again with recording on and goes back through it at once. Gradients of leaves that `body` uses by
// capture are added up as always; those of `inputs` are handed on. `body` must compute the same values each
// time: any routing decision or random number in it has to be a function of its inputs and of counters.
#pragma once

#include <functional>
#include <vector>

#include "autograd/var.h"

namespace limoe {

using RecomputeBody = std::function<std::vector<Var>(const std::vector<Var>& inputs)>;
std::vector<Var> recompute(const RecomputeBody& body, const std::vector<Var>& inputs);

}  // namespace limoe
