#include "ops/router_z_loss.h"

#include "autograd/record.h"
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
  const TokenGroups by_group = token_groups("router_z_loss", "logits", logits, group_of, groups);
  const Tensor in = contiguous(logits);
  double loss = 0;
  dispatch("router_z_loss", in,
           [&]<class T>(OnCpu<T>) { loss = forward_cpu(in.data<T>(), by_group, in.dim(1)); });
  return full({}, loss, logits.dtype());
}

Tensor router_z_loss_backward(const Tensor& logits, const Tensor& group_of, int64_t groups,
                              const Tensor& dy) {
  expect_shape("router_z_loss backward", "dy", dy, {}, "because the loss is a scalar");
  const TokenGroups by_group = token_groups("router_z_loss backward", "logits", logits, group_of, groups);
  const Tensor in = contiguous(logits);
  Tensor dlogits = zeros_like(in);
  const double weight = group_weight(by_group, dy);
  dispatch("router_z_loss backward", in, [&]<class T>(OnCpu<T>) {
    backward_cpu(in.data<T>(), by_group, weight, dlogits.mutable_data<T>(), in.dim(1));
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
