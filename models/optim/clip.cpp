#include "models/optim/clip.h"

#include <cmath>
#include <vector>

#include "models/optim/sum_of_squares.h"
#include "ops/dispatch.h"
#include "tensor/error.h"
#include "tensor/parallel.h"

namespace limoe {
namespace {

constexpr int64_t kGrain = 1 << 15;

template <class T>
double norm_of(const T* gradient, int64_t count) {
  std::vector<double> partial(size_t(run_count(count, kGrain)));
  parallel_for(count, kGrain, [&](int64_t begin, int64_t end) {
    partial[size_t(begin / kGrain)] = sum_of_squares(gradient + begin, end - begin);
  });
  double sum = 0;
  for (const double part : partial) sum += part;
  return std::sqrt(sum);
}

template <class T>
void scale(T* gradient, int64_t count, T factor) {
  parallel_for(count, kGrain, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) gradient[i] *= factor;
  });
}

}  // namespace

double gradient_norm(const ParameterArena& arena) {
  double norm = 0;
  dispatch("gradient_norm", arena.gradients(),
           [&]<class T>(OnCpu<T>) { norm = norm_of(arena.gradients().data<T>(), arena.size()); });
  return norm;
}

double clip_gradient_norm(ParameterArena& arena, double max_norm) {
  if (!(max_norm >= 0))
    throw ValueError("clip_gradient_norm: max_norm is ", max_norm, "; expected 0 or more");
  const double norm = gradient_norm(arena);
  if (max_norm == 0 || !std::isfinite(norm) || norm <= max_norm) return norm;
  dispatch("clip_gradient_norm", arena.gradients(), [&]<class T>(OnCpu<T>) {
    scale(arena.gradients().mutable_data<T>(), arena.size(), T(max_norm / norm));
  });
  return norm;
}

}  // namespace limoe
