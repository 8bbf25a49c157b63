#include "autograd/recompute.h"

#include "autograd/backward.h"
#include "autograd/record.h"
#include "tensor/factory.h"

namespace limoe {

std::vector<Var> recompute(const RecomputeBody& body, const std::vector<Var>& inputs) {
  std::vector<Tensor> outputs;
  {
    const NoGradScope no_grad;
    for (const Var& y : body(inputs)) outputs.push_back(y.value());
  }
  std::vector<Saved> saved;
  for (const Var& x : inputs) saved.push_back(save(x.value(), "input of recompute"));
  const auto run_again = [body, saved, scope = NameScope::current()](std::span<const Tensor> dys,
                                                                     InputGradients& gradients) {
    const GradScope grad;
    const NameScope again(scope + "(again)");
    std::vector<Var> inputs;
    for (size_t i = 0; i < saved.size(); ++i)
      inputs.push_back(gradients.wanted(i) ? leaf(saved[i].get()) : Var(saved[i].get()));
    const std::vector<Var> outputs = body(inputs);
    std::vector<GradientSeed> seeds;
    for (size_t i = 0; i < outputs.size(); ++i)
      if (dys[i].defined() && outputs[i].wants_gradient()) seeds.push_back({outputs[i], dys[i]});
    backward(seeds);
    for (size_t i = 0; i < inputs.size(); ++i)
      if (gradients.wanted(i)) gradients.set(i, inputs[i].gradient());
  };
  // Leaves that the body captures are not to be seen from here, so there is a node even when no input wants a
  // gradient: an empty leaf stands for them.
  std::vector<Var> edges = inputs;
  edges.push_back(leaf(empty({0})));
  return record_many("recompute", outputs, edges, run_again);
}

}  // namespace limoe
