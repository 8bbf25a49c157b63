#include "models/optim/adamw.h"

#include <algorithm>
#include <cmath>

#include "models/optim/expect_settings.h"
#include "ops/dispatch.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"

namespace limoe {
namespace {

constexpr int64_t kGrain = 1 << 14;

template <class T>
struct Arrays {
  T* w;
  const T* g;
  T* m;
  T* v;
};

template <class T>
struct Constants {
  T beta1, beta2, epsilon, lr;
  T first_correction, second_correction;  // 1 / (1 - beta^t)
};

template <class T>
void update(const Arrays<T>& arrays, const Constants<T>& c, T decay, int64_t begin, int64_t end) {
  T* __restrict w = arrays.w;
  T* __restrict m = arrays.m;
  T* __restrict v = arrays.v;
  const T* __restrict g = arrays.g;
  for (int64_t i = begin; i < end; ++i) {
    m[i] = c.beta1 * m[i] + (1 - c.beta1) * g[i];
    v[i] = c.beta2 * v[i] + (1 - c.beta2) * g[i] * g[i];
    const T step = c.first_correction * m[i] / (std::sqrt(c.second_correction * v[i]) + c.epsilon);
    w[i] -= c.lr * (step + decay * w[i]);
  }
}

}  // namespace

AdamW::AdamW(const ParameterArena& arena, const AdamWSettings& settings)
    : Optimizer(arena),
      settings_(settings),
      first_moment_(zeros_like(arena.values())),
      second_moment_(zeros_like(arena.values())) {
  expect_share("adamw", "beta1", settings.beta1);
  expect_share("adamw", "beta2", settings.beta2);
  expect_not_negative("adamw", "weight_decay", settings.weight_decay);
  expect_positive("adamw", "epsilon", settings.epsilon);
  for (size_t i = 0; i < slots().size(); ++i) {
    const int64_t end = i + 1 < slots().size() ? slots()[i + 1].offset : arena.size();
    const bool decays = slots()[i].spec.decays;
    if (!runs_.empty() && runs_.back().decays == decays)
      runs_.back().end = end;
    else
      runs_.push_back({slots()[i].offset, end, decays});
  }
}

void AdamW::step(ParameterArena& arena, const StepRates& rates) {
  begin_step(arena);
  dispatch("adamw", arena.values(), [&]<class T>(OnCpu<T>) {
    const Arrays<T> arrays{arena.values().mutable_data<T>(), arena.gradients().data<T>(),
                           first_moment_.mutable_data<T>(), second_moment_.mutable_data<T>()};
    const double t = double(steps());
    const Constants<T> constants{T(settings_.beta1),
                                 T(settings_.beta2),
                                 T(settings_.epsilon),
                                 T(rates.lr),
                                 T(1 / (1 - std::pow(settings_.beta1, t))),
                                 T(1 / (1 - std::pow(settings_.beta2, t)))};
    parallel_for(arena.size(), kGrain, [&](int64_t begin, int64_t end) {
      auto run =
          std::partition_point(runs_.begin(), runs_.end(), [=](const Run& r) { return r.end <= begin; });
      for (; run != runs_.end() && run->begin < end; ++run)
        update(arrays, constants, T(run->decays ? settings_.weight_decay : 0), std::max(begin, run->begin),
               std::min(end, run->end));
    });
  });
}

std::map<std::string, Tensor> AdamW::state() const {
  std::map<std::string, Tensor> state = common_state();
  add_views(state, "first_moment", first_moment_);
  add_views(state, "second_moment", second_moment_);
  return state;
}

}  // namespace limoe
