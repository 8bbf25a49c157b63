// After a step whose loss or gradient is not finite: where did it begin?
#pragma once

#include <string>

#include "models/train/accumulate.h"

namespace limoe {

// Looks at the parameters, then runs the step again op by op, then looks at the gradients, and says in words
// what it found first: "parameter blocks.1.moe.up.kernel of expert 3 holds nan", "blocks.1.moe/grouped_mlp
// gave nan for the inputs it had", ... Leaves the gradients changed.
std::string diagnose_non_finite(const Limoe& model, ParameterArena& arena, const Batch& batch,
                                const StepOptions& options);

}  // namespace limoe
