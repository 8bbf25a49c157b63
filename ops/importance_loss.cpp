#include "ops/importance_loss.h"

#include "autograd/record.h"
#include "cuda/importance_loss.h"
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
  constexpr const char* kOp = "importance_loss";
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
        cuda::importance_loss_forward(on.stream, in.device_data<T>(), on_device.ids(), on_device.sizes,
                                      on_device.memory(), loss.mutable_device_data<float>());
      });
  return loss;
}

Tensor importance_loss_backward(const Tensor& probs, const Tensor& group_of, int64_t groups,
                                const Tensor& dy) {
  constexpr const char* kOp = "importance_loss backward";
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
        cuda::importance_loss_backward(on.stream, in.device_data<T>(), on_device.ids(), on_device.sizes,
                                       dy.device_data<float>(), on_device.memory(),
                                       dprobs.mutable_device_data<T>());
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
