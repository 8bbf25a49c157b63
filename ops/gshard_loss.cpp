#include "ops/gshard_loss.h"

#include <algorithm>

#include "autograd/record.h"
#include "cuda/gshard_loss.h"
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
  constexpr const char* kOp = "gshard_loss";
  const Tensor in = contiguous(probs);
  Tensor loss;
  dispatch(
      kOp, in,
      [&]<class T>(OnCpu<T>) {
        const TokenGroups by_group = token_groups(kOp, "probs", in, group_of, groups);
        loss = full({}, forward_cpu(in.data<T>(), by_group, in.dim(1)), in.dtype());
      },
      [&]<class T>(OnCuda<T> on) {
        GroupsOnDevice on_device = groups_on_device(kOp, "probs", in, group_of, groups);
        loss = loss_on_device(in);
        cuda::gshard_loss_forward(on.stream, in.device_data<T>(), on_device.ids(), on_device.sizes,
                                  on_device.memory(), loss.mutable_device_data<float>());
      });
  return loss;
}

Tensor gshard_loss_backward(const Tensor& probs, const Tensor& group_of, int64_t groups, const Tensor& dy) {
  constexpr const char* kOp = "gshard_loss backward";
  expect_shape(kOp, "dy", dy, {}, "because the loss is a scalar");
  const Tensor in = contiguous(probs);
  Tensor dprobs;
  dispatch(
      kOp, in,
      [&]<class T>(OnCpu<T>) {
        const TokenGroups by_group = token_groups(kOp, "probs", in, group_of, groups);
        dprobs = zeros_like(in);
        backward_cpu(in.data<T>(), by_group, group_weight(by_group, dy), dprobs.mutable_data<T>(), in.dim(1));
      },
      [&]<class T>(OnCuda<T> on) {
        GroupsOnDevice on_device = groups_on_device(kOp, "probs", in, group_of, groups);
        dprobs = empty_like(in);
        cuda::gshard_loss_backward(on.stream, in.device_data<T>(), on_device.ids(), on_device.sizes,
                                   dy.device_data<float>(), on_device.memory(),
                                   dprobs.mutable_device_data<T>());
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
