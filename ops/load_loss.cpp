#include "ops/load_loss.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/record.h"
#include "cuda/load_loss.h"
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/squared_variation.h"
#include "ops/token_groups.h"
#include "ops/top_k.h"
#include "tensor/factory.h"

namespace limoe {
namespace {

constexpr double kSqrtHalf = 0.70710678118654752440;
constexpr double kOneOverSqrtTwoPi = 0.39894228040143267794;

template <class T>
struct LoadInputs {
  const T *logits, *noisy;         // [N, E]
  const int32_t* threshold_place;  // [N]: the expert whose noisy logit is t_n; -1 if the row holds a NaN
  int64_t experts;
  double deviation;

  // (t_n - logits[n, e]) / s
  double distance(int64_t token, int64_t expert) const {
    const int32_t place = threshold_place[token];
    if (place < 0) return std::numeric_limits<double>::quiet_NaN();
    return (double(noisy[token * experts + place]) - double(logits[token * experts + expert])) / deviation;
  }
};

template <class T>
std::vector<int32_t> threshold_places(const T* noisy, Rows rows, int64_t choices) {
  std::vector<int32_t> top(rows.count * choices), places(rows.count);
  parallel_for(rows.count, rows_per_run(rows.width), [&](int64_t begin, int64_t end) {
    for (int64_t token = begin; token < end; ++token) {
      int32_t* const chosen = top.data() + token * choices;
      places[token] =
          top_k(noisy + token * rows.width, rows.width, choices, chosen) ? chosen[choices - 1] : -1;
    }
  });
  return places;
}

template <class T>
std::vector<double> loads(const LoadInputs<T>& in, Tokens tokens) {
  std::vector<double> load = sum_over_tokens(tokens, in.experts, [&](Tokens some, double* sums) {
    for (const int64_t token : some)
      for (int64_t expert = 0; expert < in.experts; ++expert)
        sums[expert] += 0.5 * std::erfc(in.distance(token, expert) * kSqrtHalf);
  });
  for (double& share : load) share /= double(tokens.size());
  return load;
}

template <class T>
void backward_cpu(const LoadInputs<T>& in, const TokenGroups& by_group, double weight, T* dlogits,
                  T* dnoisy) {
  for_each_group(by_group, [&](Tokens tokens) {
    const std::vector<double> gradient = squared_variation_gradient(loads(in, tokens));
    const double scale = weight * kOneOverSqrtTwoPi / (in.deviation * double(tokens.size()));
    for_each_run(tokens, [&](Tokens some) {
      for (const int64_t token : some) {
        double sum = 0;
        for (int64_t expert = 0; expert < in.experts; ++expert) {
          const double u = in.distance(token, expert), d = scale * gradient[expert] * std::exp(-0.5 * u * u);
          dlogits[token * in.experts + expert] = T(d);
          sum += d;
        }
        dnoisy[token * in.experts + std::max(in.threshold_place[token], 0)] = T(-sum);
      }
    });
  });
}

void expect_noise(const char* op, const Tensor& logits, const Tensor& noisy_logits,
                  const LoadSettings& settings) {
  expect_floating(op, "logits", logits);
  expect_rank(op, "logits", logits, 2);
  expect_shape(op, "noisy_logits", noisy_logits, logits.shape(), "because logits is that");
  expect_same_kind(op, "noisy_logits", noisy_logits, "logits", logits);
  if (logits.dim(1) > 0 && (settings.experts_per_token < 1 || settings.experts_per_token > logits.dim(1)))
    throw ValueError(op, ": experts_per_token is ", settings.experts_per_token, "; expected 1..",
                     logits.dim(1), " because logits is ", logits.shape());
  if (!(settings.noise_deviation > 0) || std::isinf(settings.noise_deviation))
    throw ValueError(op, ": noise_deviation is ", settings.noise_deviation,
                     "; expected more than 0: without noise there is no chance to speak of");
}

// body(rows) with what the CPU's passes read.
template <class T, class Body>
void with_inputs(const Tensor& clean, const Tensor& noisy, const LoadSettings& settings, const Body& body) {
  const std::vector<int32_t> places =
      threshold_places(noisy.data<T>(), fold_leading_axes(noisy.shape()), settings.experts_per_token);
  body(
      LoadInputs<T>{clean.data<T>(), noisy.data<T>(), places.data(), clean.dim(1), settings.noise_deviation});
}

template <class T>
cuda::LoadRows<T> rows_on_device(const Tensor& clean, const Tensor& noisy, const LoadSettings& settings) {
  return {clean.device_data<T>(), noisy.device_data<T>(), int(settings.experts_per_token),
          float(settings.noise_deviation)};
}

}  // namespace

Tensor load_loss_forward(const Tensor& logits, const Tensor& noisy_logits, const Tensor& group_of,
                         const LoadSettings& settings) {
  constexpr const char* kOp = "load_loss";
  expect_noise(kOp, logits, noisy_logits, settings);
  const Tensor clean = contiguous(logits), noisy = contiguous(noisy_logits);
  Tensor loss;
  dispatch(
      kOp, clean,
      [&]<class T>(OnCpu<T>) {
        const TokenGroups by_group = token_groups(kOp, "logits", clean, group_of, settings.groups);
        with_inputs<T>(clean, noisy, settings, [&](const LoadInputs<T>& in) {
          const auto loss_of = [&](Tokens tokens) { return squared_variation(loads(in, tokens)); };
          loss = full({}, mean_over_groups(by_group, loss_of), logits.dtype());
        });
      },
      [&]<class T>(OnCuda<T> on) {
        GroupsOnDevice on_device = groups_on_device(kOp, "logits", clean, group_of, settings.groups);
        loss = loss_on_device(clean);
        cuda::load_loss_forward(on.stream, rows_on_device<T>(clean, noisy, settings), on_device.ids(),
                                on_device.sizes, on_device.memory(), loss.mutable_device_data<float>());
      });
  return loss;
}

LoadGradients load_loss_backward(const Tensor& logits, const Tensor& noisy_logits, const Tensor& group_of,
                                 const LoadSettings& settings, const Tensor& dy) {
  constexpr const char* kOp = "load_loss backward";
  expect_shape(kOp, "dy", dy, {}, "because the loss is a scalar");
  expect_noise(kOp, logits, noisy_logits, settings);
  const Tensor clean = contiguous(logits), noisy = contiguous(noisy_logits);
  LoadGradients gradients;
  dispatch(
      kOp, clean,
      [&]<class T>(OnCpu<T>) {
        const TokenGroups by_group = token_groups(kOp, "logits", clean, group_of, settings.groups);
        gradients = {zeros_like(clean), zeros_like(clean)};
        with_inputs<T>(clean, noisy, settings, [&](const LoadInputs<T>& in) {
          backward_cpu(in, by_group, group_weight(by_group, dy), gradients.dlogits.mutable_data<T>(),
                       gradients.dnoisy_logits.mutable_data<T>());
        });
      },
      [&]<class T>(OnCuda<T> on) {
        GroupsOnDevice on_device = groups_on_device(kOp, "logits", clean, group_of, settings.groups);
        gradients = {empty_like(clean), empty_like(clean)};
        cuda::load_loss_backward(on.stream, rows_on_device<T>(clean, noisy, settings), on_device.ids(),
                                 on_device.sizes, dy.device_data<float>(), on_device.memory(),
                                 gradients.dlogits.mutable_device_data<T>(),
                                 gradients.dnoisy_logits.mutable_device_data<T>());
      });
  return gradients;
}

Var load_loss(const Var& logits, const Var& noisy_logits, int64_t experts_per_token, double noise_deviation,
              const Tensor& group_of, int64_t groups) {
  const LoadSettings settings{experts_per_token, noise_deviation, groups};
  return record(
      "load_loss", load_loss_forward(logits.value(), noisy_logits.value(), group_of, settings),
      {logits, noisy_logits},
      [logits = save(logits.value(), "logits"), noisy_logits = save(noisy_logits.value(), "noisy_logits"),
       group_of = save(group_of, "group_of"), settings](const Tensor& dy, InputGradients& d) {
        const LoadGradients gradients =
            load_loss_backward(logits.get(), noisy_logits.get(), group_of.get(), settings, dy);
        d.set(0, gradients.dlogits);
        d.set(1, gradients.dnoisy_logits);
      });
}

}  // namespace limoe
