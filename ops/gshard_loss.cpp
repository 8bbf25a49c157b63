#include "ops/gshard_loss.h"

#include <algorithm>

#include "autograd/record.h"
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/token_groups.h"
#include "tensor/factory.h"

namespace limoe {
namespace {

// f: which share of the tokens every expert is the first choice of.
template <class T>
std::vector<double> first_shares(const T* probs, Tokens tokens, int64_t experts) {
  std::vector<double> shares = sum_over_tokens(tokens, experts, [=](Tokens some, double* sums) {
    for (const int64_t token : some) {
      const T* const row = probs + token * experts;
      sums[std::max_element(row, row + experts) - row] += 1;
    }
  });
  for (double& share : shares) share /= double(tokens.size());
  return shares;
}

template <class T>
double forward_cpu(const T* probs, const TokenGroups& by_group, int64_t experts) {
  return mean_over_groups(by_group, [=](Tokens tokens) {
    const std::vector<double> shares = first_shares(probs, tokens, experts),
                              sums = sum_of_rows(probs, tokens, experts);
    double loss = 0;
    for (int64_t expert = 0; expert < experts; ++expert) loss += shares[expert] * sums[expert];
    return loss * double(experts) / double(tokens.size());
  });
}

template <class T>
void backward_cpu(const T* probs, const TokenGroups& by_group, double weight, T* dprobs, int64_t experts) {
  for_each_group(by_group, [=](Tokens tokens) {
    const std::vector<double> shares = first_shares(probs, tokens, experts);
    const double scale = weight * double(experts) / double(tokens.size());
    for_each_run(tokens, [&](Tokens some) {
      for (const int64_t token : some)
        for (int64_t expert = 0; expert < experts; ++expert)
          dprobs[token * experts + expert] = T(scale * shares[expert]);
    });
  });
}

}  // namespace

Tensor gshard_loss_forward(const Tensor& probs, const Tensor& group_of, int64_t groups) {
  const TokenGroups by_group = token_groups("gshard_loss", "probs", probs, group_of, groups);
  const Tensor in = contiguous(probs);
  double loss = 0;
  dispatch("gshard_loss", in,
           [&]<class T>(OnCpu<T>) { loss = forward_cpu(in.data<T>(), by_group, in.dim(1)); });
  return full({}, loss, probs.dtype());
}

Tensor gshard_loss_backward(const Tensor& probs, const Tensor& group_of, int64_t groups, const Tensor& dy) {
  expect_shape("gshard_loss backward", "dy", dy, {}, "because the loss is a scalar");
  const TokenGroups by_group = token_groups("gshard_loss backward", "probs", probs, group_of, groups);
  const Tensor in = contiguous(probs);
  Tensor dprobs = zeros_like(in);
  const double weight = group_weight(by_group, dy);
  dispatch("gshard_loss backward", in, [&]<class T>(OnCpu<T>) {
    backward_cpu(in.data<T>(), by_group, weight, dprobs.mutable_data<T>(), in.dim(1));
  });
  return dprobs;
}

Var gshard_loss(const Var& probs, const Tensor& group_of, int64_t groups) {
  return record("gshard_loss", gshard_loss_forward(probs.value(), group_of, groups), {probs},
                [probs = save(probs.value(), "probs"), group_of = save(group_of, "group_of"), groups](
                    const Tensor& dy, InputGradients& d) {
                  d.set(0, gshard_loss_backward(probs.get(), group_of.get(), groups, dy));
                });
}

}  // namespace limoe
