#include "ops/importance_loss.h"

#include "autograd/record.h"
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/squared_variation.h"
#include "ops/token_groups.h"
#include "tensor/factory.h"

namespace limoe {
namespace {

template <class T>
double forward_cpu(const T* probs, const TokenGroups& by_group, int64_t experts) {
  return mean_over_groups(
      by_group, [=](Tokens tokens) { return squared_variation(sum_of_rows(probs, tokens, experts)); });
}

template <class T>
void backward_cpu(const T* probs, const TokenGroups& by_group, double weight, T* dprobs, int64_t experts) {
  for_each_group(by_group, [=](Tokens tokens) {
    const std::vector<double> gradient = squared_variation_gradient(sum_of_rows(probs, tokens, experts));
    for_each_run(tokens, [&](Tokens some) {
      for (const int64_t token : some)
        for (int64_t expert = 0; expert < experts; ++expert)
          dprobs[token * experts + expert] = T(weight * gradient[expert]);
    });
  });
}

}  // namespace

Tensor importance_loss_forward(const Tensor& probs, const Tensor& group_of, int64_t groups) {
  const TokenGroups by_group = token_groups("importance_loss", "probs", probs, group_of, groups);
  const Tensor in = contiguous(probs);
  double loss = 0;
  dispatch("importance_loss", in,
           [&]<class T>(OnCpu<T>) { loss = forward_cpu(in.data<T>(), by_group, in.dim(1)); });
  return full({}, loss, probs.dtype());
}

Tensor importance_loss_backward(const Tensor& probs, const Tensor& group_of, int64_t groups,
                                const Tensor& dy) {
  expect_shape("importance_loss backward", "dy", dy, {}, "because the loss is a scalar");
  const TokenGroups by_group = token_groups("importance_loss backward", "probs", probs, group_of, groups);
  const Tensor in = contiguous(probs);
  Tensor dprobs = zeros_like(in);
  const double weight = group_weight(by_group, dy);
  dispatch("importance_loss backward", in, [&]<class T>(OnCpu<T>) {
    backward_cpu(in.data<T>(), by_group, weight, dprobs.mutable_data<T>(), in.dim(1));
  });
  return dprobs;
}

Var importance_loss(const Var& probs, const Tensor& group_of, int64_t groups) {
  return record("importance_loss", importance_loss_forward(probs.value(), group_of, groups), {probs},
                [probs = save(probs.value(), "probs"), group_of = save(group_of, "group_of"), groups](
                    const Tensor& dy, InputGradients& d) {
                  d.set(0, importance_loss_backward(probs.get(), group_of.get(), groups, dy));
                });
}

}  // namespace limoe
