#include "models/train/ridge_probe.h"

#include <cmath>

#include "ops/check.h"
#include "ops/matmul.h"
#include "tensor/error.h"
#include "tensor/factory.h"

namespace limoe {
namespace {

constexpr const char* kOp = "ridge probe";
constexpr double kBias = 100, kLeastDeviation = 1e-5;

// a [n, n], symmetric, becomes its Cholesky factor L (the lower triangle), a = L L^T.
void factorise(Tensor& a, double l2) {
  const int64_t n = a.dim(0);
  double* l = a.mutable_data<double>();
  for (int64_t row = 0; row < n; ++row)
    for (int64_t column = 0; column <= row; ++column) {
      double rest = l[row * n + column];
      for (int64_t k = 0; k < column; ++k) rest -= l[row * n + k] * l[column * n + k];
      if (row != column) {
        l[row * n + column] = rest / l[column * n + column];
      } else if (rest > 0) {
        l[row * n + row] = std::sqrt(rest);
      } else {
        throw ValueError(kOp, ": l2 is ", l2,
                         "; expected a larger one, or features that are finite, because the ",
                         "system cannot be solved in double");
      }
    }
}

// x = (L L^T)^-1 b in place of b [n, m], row by row: forwards with L, backwards with its transpose.
void solve(const Tensor& factor, Tensor& b) {
  const int64_t n = b.dim(0), m = b.dim(1);
  const double* l = factor.data<double>();
  double* x = b.mutable_data<double>();
  const auto subtract = [&](int64_t row, int64_t other, double weight) {
    for (int64_t j = 0; j < m; ++j) x[row * m + j] -= weight * x[other * m + j];
  };
  const auto divide = [&](int64_t row) {
    for (int64_t j = 0; j < m; ++j) x[row * m + j] /= l[row * n + row];
  };
  for (int64_t row = 0; row < n; ++row) {
    for (int64_t k = 0; k < row; ++k) subtract(row, k, l[row * n + k]);
    divide(row);
  }
  for (int64_t row = n - 1; row >= 0; --row) {
    for (int64_t k = row + 1; k < n; ++k) subtract(row, k, l[k * n + row]);
    divide(row);
  }
}

void check(const Tensor& features, const std::vector<int64_t>& labels, int64_t classes, double l2) {
  expect_rank(kOp, "features", features, 2);
  expect_dim(kOp, "features", features, 0, int64_t(labels.size()), "because there are that many labels");
  if (labels.empty()) throw ValueError(kOp, ": features is ", features.shape(), "; expected one row or more");
  if (!(l2 > 0) || !std::isfinite(l2)) throw ValueError(kOp, ": l2 is ", l2, "; expected a number above 0");
  for (const int64_t label : labels)
    if (label < 0 || label >= classes)
      throw ValueError(kOp, ": labels holds ", label, "; expected 0 to ", classes - 1);
}

void measure(const Tensor& features, RidgeProbe& probe) {
  const int64_t n = features.dim(0), width = features.dim(1);
  const Tensor rows = contiguous(to_dtype(features, DType::f64));
  const double* x = rows.data<double>();
  probe.mean = zeros({width}, DType::f64);
  probe.deviation = zeros({width}, DType::f64);
  double *mean = probe.mean.mutable_data<double>(), *deviation = probe.deviation.mutable_data<double>();
  for (int64_t i = 0; i < n * width; ++i) mean[i % width] += x[i] / double(n);
  for (int64_t i = 0; i < n * width; ++i)
    deviation[i % width] += (x[i] - mean[i % width]) * (x[i] - mean[i % width]) / double(n);
  for (int64_t j = 0; j < width; ++j) deviation[j] = std::sqrt(deviation[j]) + kLeastDeviation;
}

}  // namespace

RidgeProbe fit_ridge_probe(const Tensor& features, const std::vector<int64_t>& labels, int64_t classes,
                           double l2) {
  check(features, labels, classes, l2);
  RidgeProbe probe;
  measure(features, probe);
  const Tensor z = probe_inputs(probe, features);
  Tensor targets = full({z.dim(0), classes}, -1, DType::f64);
  for (size_t i = 0; i < labels.size(); ++i)
    targets.mutable_data<double>()[int64_t(i) * classes + labels[i]] = 1;
  const bool by_rows = z.dim(0) < z.dim(1);
  Tensor gram = by_rows ? matmul_forward(z, z, {.b = true}) : matmul_forward(z, z, {.a = true});
  for (int64_t i = 0; i < gram.dim(0); ++i) gram.mutable_data<double>()[i * gram.dim(0) + i] += l2;
  factorise(gram, l2);
  probe.weights = by_rows ? targets : matmul_forward(z, targets, {.a = true});
  solve(gram, probe.weights);
  if (by_rows) probe.weights = matmul_forward(z, probe.weights, {.a = true});
  return probe;
}

Tensor probe_inputs(const RidgeProbe& probe, const Tensor& features) {
  expect_rank(kOp, "features", features, 2);
  expect_dim(kOp, "features", features, 1, probe.mean.dim(0), "because the probe was fitted on that many");
  const int64_t n = features.dim(0), width = features.dim(1);
  const Tensor rows = contiguous(to_dtype(features, DType::f64));
  Tensor z = full({n, width + 1}, kBias, DType::f64);
  const double *x = rows.data<double>(), *mean = probe.mean.data<double>(),
               *deviation = probe.deviation.data<double>();
  double* out = z.mutable_data<double>();
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < width; ++j)
      out[i * (width + 1) + j] = (x[i * width + j] - mean[j]) / deviation[j];
  return z;
}

}  // namespace limoe
