#include "ops/router_z_loss.h"

#include "autograd/record.h"
#include "cuda/router_z_loss.h"
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/router_softmax.h"
#include "tensor/factory.h"

namespace limoe {
namespace {

template <class T>
double forward_cpu(const T* logits, const TokenGroups& by_group, int64_t experts) {
  return mean_over_groups(by_group, [=](Tokens tokens) {
    const std::vector<double> sum = sum_over_tokens(tokens, 1, [=](Tokens some, double* squares) {
      for_each_softmax(logits, some, experts,
                       [=](int64_t, const double*, double log_sum) { squares[0] += log_sum * log_sum; });
    });
    return sum[0] / double(tokens.size());
  });
}

template <class T>
void backward_cpu(const T* logits, const TokenGroups& by_group, double weight, T* dlogits, int64_t experts) {
  for_each_group(by_group, [=](Tokens tokens) {
    const double scale = 2 * weight / double(tokens.size());
    for_each_run(tokens, [=](Tokens some) {
      for_each_softmax(logits, some, experts, [=](int64_t token, const double* p, double log_sum) {
        for (int64_t expert = 0; expert < experts; ++expert)
          dlogits[token * experts + expert] = T(scale * log_sum * p[expert]);
      });
    });
  });
}

}  // namespace

Tensor router_z_loss_forward(const Tensor& logits, const Tensor& group_of, int64_t groups) {
  constexpr const char* kOp = "router_z_loss";
  const Tensor in = contiguous(logits);
  Tensor loss;
  dispatch(
      kOp, in,
      [&]<class T>(OnCpu<T>) {
        const TokenGroups by_group = token_groups(kOp, "logits", in, group_of, groups);
        loss = full({}, forward_cpu(in.data<T>(), by_group, in.dim(1)), in.dtype());
      },
      [&]<class T>(OnCuda<T> on) {
        GroupsOnDevice on_device = groups_on_device(kOp, "logits", in, group_of, groups);
        loss = loss_on_device(in);
        cuda::router_z_loss_forward(on.stream, in.device_data<T>(), on_device.ids(), on_device.sizes,
                                    on_device.memory(), loss.mutable_device_data<float>());
      });
  return loss;
}

Tensor router_z_loss_backward(const Tensor& logits, const Tensor& group_of, int64_t groups,
                              const Tensor& dy) {
  constexpr const char* kOp = "router_z_loss backward";
  expect_shape(kOp, "dy", dy, {}, "because the loss is a scalar");
  const Tensor in = contiguous(logits);
  Tensor dlogits;
  dispatch(
      kOp, in,
      [&]<class T>(OnCpu<T>) {
        const TokenGroups by_group = token_groups(kOp, "logits", in, group_of, groups);
        dlogits = zeros_like(in);
        backward_cpu(in.data<T>(), by_group, group_weight(by_group, dy), dlogits.mutable_data<T>(),
                     in.dim(1));
      },
      [&]<class T>(OnCuda<T> on) {
        GroupsOnDevice on_device = groups_on_device(kOp, "logits", in, group_of, groups);
        dlogits = empty_like(in);
        cuda::router_z_loss_backward(on.stream, in.device_data<T>(), on_device.ids(), on_device.sizes,
                                     dy.device_data<float>(), on_device.memory(),
                                     dlogits.mutable_device_data<T>());
      });
  return dlogits;
}

Var router_z_loss(const Var& logits, const Tensor& group_of, int64_t groups) {
  return record("router_z_loss", router_z_loss_forward(logits.value(), group_of, groups), {logits},
                [logits = save(logits.value(), "logits"), group_of = save(group_of, "group_of"), groups](
                    const Tensor& dy, InputGradients& d) {
                  d.set(0, router_z_loss_backward(logits.get(), group_of.get(), groups, dy));
                });
}

}  // namespace limoe
