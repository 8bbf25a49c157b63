#include "ops/gradient_norm.h"

#include <cmath>
#include <vector>

#include "cuda/gradient_norm.h"
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/sum_of_squares.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"

namespace limoe {
namespace {

constexpr int64_t kGrain = 1 << 15;

template <class T>
double norm_cpu(const T* gradient, int64_t count) {
  std::vector<double> partial(size_t(run_count(count, kGrain)));
  parallel_for(count, kGrain, [&](int64_t begin, int64_t end) {
    partial[size_t(begin / kGrain)] = sum_of_squares(gradient + begin, end - begin);
  });
  double sum = 0;
  for (const double part : partial) sum += part;
  return std::sqrt(sum);
}

template <class T>
void scale_cpu(T* gradient, int64_t count, T factor) {
  parallel_for(count, kGrain, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) gradient[i] *= factor;
  });
}

void expect_contiguous(const char* op, const Tensor& gradients) {
  expect_floating(op, "gradients", gradients);
  if (!gradients.is_contiguous())
    throw ShapeError(op, ": gradients is a strided view ", gradients.shape(), "; expected contiguous memory");
}

}  // namespace

Tensor gradient_norm_forward(const Tensor& gradients) {
  expect_contiguous("gradient_norm", gradients);
  const int64_t count = gradients.element_count();
  Tensor norm = empty({}, DType::f64, gradients.device());
  dispatch(
      "gradient_norm", gradients,
      [&]<class T>(OnCpu<T>) { *norm.mutable_data<double>() = norm_cpu(gradients.data<T>(), count); },
      [&]<class T>(OnCuda<T> on) {
        Tensor partials = empty({cuda::gradient_norm_partial_count(count)}, DType::f64, gradients.device());
        cuda::gradient_norm(on.stream, gradients.device_data<T>(), partials.mutable_device_data<double>(),
                            norm.mutable_device_data<double>(), count);
      });
  return norm;
}

void clip_by_norm(Tensor& gradients, const Tensor& norm, double most) {
  expect_contiguous("clip_by_norm", gradients);
  expect_dtype("clip_by_norm", "norm", norm, DType::f64);
  expect_shape("clip_by_norm", "norm", norm, {}, "because it is one number");
  expect_same_device("clip_by_norm", "norm", norm, "gradients", gradients);
  if (!(most > 0)) throw ValueError("clip_by_norm: most is ", most, "; expected more than 0");
  const int64_t count = gradients.element_count();
  const auto on_cpu = [&]<class T>(OnCpu<T>) {
    const double length = *norm.data<double>();
    if (std::isfinite(length) && length > most)
      scale_cpu(gradients.mutable_data<T>(), count, T(most / length));
  };
  dispatch("clip_by_norm", gradients, on_cpu, [&]<class T>(OnCuda<T> on) {
    cuda::clip_by_norm(on.stream, gradients.mutable_device_data<T>(), norm.device_data<double>(), most,
                       count);
  });
}

}  // namespace limoe
