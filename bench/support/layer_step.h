// A layer forward and backward, as training runs it: through the tape, gradients into the arena.
#pragma once

#include <functional>
#include <memory>

#include "autograd/parameter.h"
#include "bench/support/bench_case.h"

namespace limoe::bench {

// One call computes y = layer(x) and goes back from dy; it gives back y, dx and the gradient of every
// parameter: each is checked on its own scale.
BenchCall layer_step(std::shared_ptr<ParameterArena> arena, const Tensor& x, const Tensor& dy,
                     std::function<Var(const Var& x)> layer);

}  // namespace limoe::bench
