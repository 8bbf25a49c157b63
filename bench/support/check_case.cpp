#include "bench/support/check_case.h"

#include <cmath>

#include "tensor/error.h"
#include "tensor/factory.h"

namespace limoe::bench {
namespace {

double root_mean_square(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value * value;
  return values.empty() ? 0 : std::sqrt(sum / double(values.size()));
}

void expect_close(const BenchCase& one, size_t output, const Tensor& got, const Tensor& wanted) {
  if (got.shape() != wanted.shape())
    throw Error("bench: ", one.name(), " is wrong and is not timed: output ", output, " is ", got.shape(),
                "; expected ", wanted.shape());
  const std::vector<double> a = to_vector<double>(got), b = to_vector<double>(wanted);
  const double error = got.dtype() == DType::i32 ? 0 : 8 * 0x1p-24 * std::sqrt(double(one.longest_sum) + 1);
  const double scale = root_mean_square(b);
  for (size_t i = 0; i < a.size(); ++i) {
    const double allowed = error * (scale + std::abs(b[i]));
    if (!(a[i] == b[i] || std::abs(a[i] - b[i]) <= allowed))
      throw Error("bench: ", one.name(), " is wrong and is not timed: output ", output, ", element ", i,
                  ", is ", a[i], "; expected ", b[i], ", give or take ", allowed);
  }
}

}  // namespace

void expect_agrees(const BenchCase& one, const Tensors& got, const Tensors& wanted) {
  if (got.size() != wanted.size())
    throw Error("bench: ", one.name(), " is wrong and is not timed: it gives ", got.size(),
                " tensors; expected ", wanted.size());
  for (size_t output = 0; output < got.size(); ++output)
    expect_close(one, output, got[output], wanted[output]);
}

void check_case(const BenchCase& one) {
  const Tensors got = one.make(DType::f32)();
  const Tensors wanted = one.twin ? one.twin()() : one.make(DType::f64)();
  expect_agrees(one, got, wanted);
}

}  // namespace limoe::bench
