#include "ops/global_entropy_loss.h"

#include "autograd/record.h"
#include "cuda/global_entropy_loss.h"
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/router_softmax.h"
#include "tensor/factory.h"

namespace limoe {
namespace {

// q: the mean probabilities of the tokens.
template <class T>
std::vector<double> mean_probabilities(const T* logits, Tokens tokens, int64_t experts) {
  std::vector<double> mean = sum_over_tokens(tokens, experts, [=](Tokens some, double* sums) {
    for_each_softmax(logits, some, experts, [=](int64_t, const double* p, double) {
      for (int64_t expert = 0; expert < experts; ++expert) sums[expert] += p[expert];
    });
  });
  for (double& q : mean) q /= double(tokens.size());
  return mean;
}

double entropy_of(const std::vector<double>& q) {
  double entropy = 0;
  for (const double share : q) entropy -= share == 0 ? 0 : share * std::log(share);
  return entropy;
}

// A NaN is no reason for 0.
double above_zero(double x) {
  return x <= 0 ? 0 : x;
}

template <class T>
double forward_cpu(const T* logits, double threshold, const TokenGroups& by_group, int64_t experts) {
  return mean_over_groups(by_group, [=](Tokens tokens) {
    return above_zero(threshold - entropy_of(mean_probabilities(logits, tokens, experts)));
  });
}

template <class T>
void backward_cpu(const T* logits, double threshold, const TokenGroups& by_group, double weight, T* dlogits,
                  int64_t experts) {
  for_each_group(by_group, [=](Tokens tokens) {
    std::vector<double> log_q = mean_probabilities(logits, tokens, experts);
    if (above_zero(threshold - entropy_of(log_q)) == 0) return;
    for (double& q : log_q) q = q == 0 ? 0 : std::log(q);  // where q is 0, so is every p it is multiplied by
    const double scale = weight / double(tokens.size());
    for_each_run(tokens, [&](Tokens some) {
      for_each_softmax(logits, some, experts, [&](int64_t token, const double* p, double) {
        double mean_log_q = 0;
        for (int64_t expert = 0; expert < experts; ++expert) mean_log_q += p[expert] * log_q[expert];
        for (int64_t expert = 0; expert < experts; ++expert)
          dlogits[token * experts + expert] = T(scale * p[expert] * (log_q[expert] - mean_log_q));
      });
    });
  });
}

}  // namespace

Tensor global_entropy_loss_forward(const Tensor& logits, double threshold, const Tensor& group_of,
                                   int64_t groups) {
  constexpr const char* kOp = "global_entropy_loss";
  const Tensor in = contiguous(logits);
  Tensor loss;
  dispatch(
      kOp, in,
      [&]<class T>(OnCpu<T>) {
        const TokenGroups by_group = token_groups(kOp, "logits", in, group_of, groups);
        loss = full({}, forward_cpu(in.data<T>(), threshold, by_group, in.dim(1)), in.dtype());
      },
      [&]<class T>(OnCuda<T> on) {
        GroupsOnDevice on_device = groups_on_device(kOp, "logits", in, group_of, groups);
        loss = loss_on_device(in);
        cuda::global_entropy_loss_forward(on.stream, in.device_data<T>(), float(threshold), on_device.ids(),
                                          on_device.sizes, on_device.memory(),
                                          loss.mutable_device_data<float>());
      });
  return loss;
}

Tensor global_entropy_loss_backward(const Tensor& logits, double threshold, const Tensor& group_of,
                                    int64_t groups, const Tensor& dy) {
  constexpr const char* kOp = "global_entropy_loss backward";
  expect_shape(kOp, "dy", dy, {}, "because the loss is a scalar");
  const Tensor in = contiguous(logits);
  Tensor dlogits;
  dispatch(
      kOp, in,
      [&]<class T>(OnCpu<T>) {
        const TokenGroups by_group = token_groups(kOp, "logits", in, group_of, groups);
        dlogits = zeros_like(in);
        backward_cpu(in.data<T>(), threshold, by_group, group_weight(by_group, dy), dlogits.mutable_data<T>(),
                     in.dim(1));
      },
      [&]<class T>(OnCuda<T> on) {
        GroupsOnDevice on_device = groups_on_device(kOp, "logits", in, group_of, groups);
        dlogits = empty_like(in);
        cuda::global_entropy_loss_backward(on.stream, in.device_data<T>(), float(threshold), on_device.ids(),
                                           on_device.sizes, dy.device_data<float>(), on_device.memory(),
                                           dlogits.mutable_device_data<T>());
      });
  return dlogits;
}

Var global_entropy_loss(const Var& logits, double threshold, const Tensor& group_of, int64_t groups) {
  return record("global_entropy_loss",
                global_entropy_loss_forward(logits.value(), threshold, group_of, groups), {logits},
                [logits = save(logits.value(), "logits"), threshold, group_of = save(group_of, "group_of"),
                 groups](const Tensor& dy, InputGradients& d) {
                  d.set(0, global_entropy_loss_backward(logits.get(), threshold, group_of.get(), groups, dy));
                });
}

}  // namespace limoe
