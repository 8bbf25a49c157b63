#include "ops/adamw_update.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "cuda/adamw_update.h"
#include "ops/check.h"
#include "ops/dispatch.h"
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

  explicit Constants(const AdamWConstants& c)
      : beta1(T(c.beta1)),
        beta2(T(c.beta2)),
        epsilon(T(c.epsilon)),
        lr(T(c.lr)),
        first_correction(T(1 / (1 - std::pow(c.beta1, double(c.t))))),
        second_correction(T(1 / (1 - std::pow(c.beta2, double(c.t))))) {}
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

template <class T>
void update_cpu(const Arrays<T>& arrays, const std::vector<DecayRun>& runs, const AdamWConstants& given,
                int64_t count) {
  const Constants<T> constants(given);
  parallel_for(count, kGrain, [&](int64_t begin, int64_t end) {
    auto run =
        std::partition_point(runs.begin(), runs.end(), [=](const DecayRun& r) { return r.end <= begin; });
    for (; run != runs.end() && run->begin < end; ++run)
      update(arrays, constants, T(run->decays ? given.decay : 0), std::max(begin, run->begin),
             std::min(end, run->end));
  });
}

void update_on_device(cuda::Stream stream, const cuda::AdamWArrays& arrays, const std::vector<DecayRun>& runs,
                      const AdamWConstants& given) {
  const Constants<float> c(given);
  std::vector<int64_t> ends;
  for (const DecayRun& run : runs) ends.push_back(run.end);
  cuda::adamw_update(
      stream, arrays,
      {c.beta1, c.beta2, c.epsilon, c.lr, c.first_correction, c.second_correction, float(given.decay)},
      ends.data(), int(ends.size()), !runs.empty() && runs[0].decays);
}

void expect_runs(const std::vector<DecayRun>& runs, int64_t count) {
  int64_t end = 0;
  for (size_t i = 0; i < runs.size(); ++i) {
    if (runs[i].begin != end || runs[i].end < end || (i > 0 && runs[i].decays == runs[i - 1].decays))
      throw ValueError("adamw_update: runs[", i, "] is ", runs[i].begin, "..", runs[i].end,
                       "; expected runs that follow each other and decay in turn");
    end = runs[i].end;
  }
  if (end != count) throw ValueError("adamw_update: runs end at ", end, "; expected ", count, " like w");
}

}  // namespace

void adamw_update(Tensor& w, const Tensor& g, Tensor& m, Tensor& v, const std::vector<DecayRun>& runs,
                  const AdamWConstants& constants, Tensor rounded) {
  expect_rank("adamw_update", "w", w, 1);
  for (const auto& [name, x] : {std::pair{"g", &g}, {"m", static_cast<const Tensor*>(&m)}, {"v", &v}}) {
    expect_shape("adamw_update", name, *x, w.shape(), "because w is that");
    expect_same_kind("adamw_update", name, *x, "w", w);
  }
  expect_runs(runs, w.element_count());
  if (rounded.defined()) {
    expect_dtype("adamw_update", "rounded", rounded, DType::bf16);
    expect_shape("adamw_update", "rounded", rounded, w.shape(), "because w is that");
    expect_same_device("adamw_update", "rounded", rounded, "w", w);
    if (w.device().kind == DeviceKind::cpu)
      throw DeviceError("adamw_update: rounded is on cpu; expected none there");
  }
  const auto on_cpu = [&]<class T>(OnCpu<T>) {
    update_cpu<T>({w.mutable_data<T>(), g.data<T>(), m.mutable_data<T>(), v.mutable_data<T>()}, runs,
                  constants, w.element_count());
  };
  dispatch("adamw_update", w, on_cpu, [&]<class T>(OnCuda<T> on) {
    if constexpr (std::is_same_v<T, float>)
      update_on_device(
          on.stream,
          {w.mutable_device_data<T>(), g.device_data<T>(), m.mutable_device_data<T>(),
           v.mutable_device_data<T>(), rounded.defined() ? rounded.mutable_device_data<bf16>() : nullptr},
          runs, constants);
    else
      throw DTypeError("adamw_update: w is ", w.dtype(), " on ", w.device(), "; expected f32");
  });
}

}  // namespace limoe
