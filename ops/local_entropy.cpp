#include "ops/local_entropy.h"

#include "autograd/record.h"
#include "cuda/local_entropy.h"
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/router_softmax.h"
#include "tensor/factory.h"

namespace limoe {
namespace {

// p * x, where p = 0 wins over an infinite x but not over a NaN.
double times_probability(double p, double x) {
  return p == 0 && !std::isnan(x) ? 0 : p * x;
}

template <class T>
double entropy_of(const T* row, const double* p, double log_sum, int64_t experts) {
  double entropy = 0;
  for (int64_t expert = 0; expert < experts; ++expert)
    entropy -= times_probability(p[expert], double(row[expert]) - log_sum);
  return entropy;
}

template <class T>
double forward_cpu(const T* logits, const TokenGroups& by_group, int64_t experts) {
  return mean_over_groups(by_group, [=](Tokens tokens) {
    const std::vector<double> sum = sum_over_tokens(tokens, 1, [=](Tokens some, double* entropies) {
      for_each_softmax(logits, some, experts, [=](int64_t token, const double* p, double log_sum) {
        entropies[0] += entropy_of(logits + token * experts, p, log_sum, experts);
      });
    });
    return sum[0] / double(tokens.size());
  });
}

template <class T>
void backward_cpu(const T* logits, const TokenGroups& by_group, double weight, T* dlogits, int64_t experts) {
  for_each_group(by_group, [=](Tokens tokens) {
    const double scale = -weight / double(tokens.size());
    for_each_run(tokens, [=](Tokens some) {
      for_each_softmax(logits, some, experts, [=](int64_t token, const double* p, double log_sum) {
        const T* const row = logits + token * experts;
        const double entropy = entropy_of(row, p, log_sum, experts);
        for (int64_t expert = 0; expert < experts; ++expert)
          dlogits[token * experts + expert] =
              T(scale * times_probability(p[expert], double(row[expert]) - log_sum + entropy));
      });
    });
  });
}

}  // namespace

Tensor local_entropy_forward(const Tensor& logits, const Tensor& group_of, int64_t groups) {
  constexpr const char* kOp = "local_entropy";
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
        cuda::local_entropy_forward(on.stream, in.device_data<T>(), on_device.ids(), on_device.sizes,
                                    on_device.memory(), loss.mutable_device_data<float>());
      });
  return loss;
}

Tensor local_entropy_backward(const Tensor& logits, const Tensor& group_of, int64_t groups,
                              const Tensor& dy) {
  constexpr const char* kOp = "local_entropy backward";
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
        cuda::local_entropy_backward(on.stream, in.device_data<T>(), on_device.ids(), on_device.sizes,
                                     dy.device_data<float>(), on_device.memory(),
                                     dlogits.mutable_device_data<T>());
      });
  return dlogits;
}

Var local_entropy(const Var& logits, const Tensor& group_of, int64_t groups) {
  return record("local_entropy", local_entropy_forward(logits.value(), group_of, groups), {logits},
                [logits = save(logits.value(), "logits"), group_of = save(group_of, "group_of"), groups](
                    const Tensor& dy, InputGradients& d) {
                  d.set(0, local_entropy_backward(logits.get(), group_of.get(), groups, dy));
                });
}

}  // namespace limoe
