#include "bench/support/layer_step.h"

#include "autograd/backward.h"
#include "tensor/factory.h"

namespace limoe::bench {

BenchCall layer_step(std::shared_ptr<ParameterArena> arena, const Tensor& x, const Tensor& dy,
                     std::function<Var(const Var& x)> layer) {
  return [=] {
    arena->zero_gradients();
    const Var in = leaf(x);
    const Var y = layer(in);
    backward({{y, dy}});
    Tensors results{y.value(), in.gradient()};
    for (const Parameter& parameter : arena->parameters()) results.push_back(parameter.var.gradient());
    return results;
  };
}

}  // namespace limoe::bench
