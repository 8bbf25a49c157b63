#include "ops/adafactor_update.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <type_traits>
#include <vector>

#include "cuda/adafactor_update.h"
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/sum_of_squares.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"

namespace limoe {
namespace {

constexpr int64_t kElementsPerRun = 1 << 14;
constexpr int64_t kColumnsPerRun = 64;
constexpr double kEpsilon = 1e-30;

// One parameter's arrays and this step's constants.
template <class T>
struct Update {
  T* w;
  T* m;
  const T* g;
  double beta2;
  T beta1, lr, decay;

  void apply(int64_t i, T root) const {
    m[i] = beta1 * m[i] + (1 - beta1) * (g[i] / root);
    w[i] -= lr * m[i] + decay * w[i];
  }
};

int64_t grain_of(int64_t elements_per_item) {
  return std::max<int64_t>(1, kElementsPerRun / std::max<int64_t>(1, elements_per_item));
}

template <class T>
void update_full(const Update<T>& update, T* v, int64_t count) {
  const T beta2 = T(update.beta2), rest = T(1 - update.beta2);
  parallel_for(count, kElementsPerRun, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      v[i] = beta2 * v[i] + rest * (update.g[i] * update.g[i] + T(kEpsilon));
      update.apply(i, std::sqrt(v[i]));
    }
  });
}

template <class T>
void average_rows(const Update<T>& update, const FactoredAxes& axes, T* moment) {
  parallel_for(axes.matrices * axes.rows, grain_of(axes.columns), [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const T* g = update.g + axes.first_element(row / axes.rows) + row % axes.rows * axes.row_stride;
      const double mean = sum_of_squares(g, axes.columns, axes.column_stride) / double(axes.columns);
      moment[row] = T(update.beta2 * double(moment[row]) + (1 - update.beta2) * (mean + kEpsilon));
    }
  });
}

// A block of neighbouring columns is summed row by row, as memory lies.
template <class T>
void average_columns(const Update<T>& update, const FactoredAxes& axes, T* moment) {
  const int64_t blocks = run_count(axes.columns, kColumnsPerRun);
  parallel_for(axes.matrices * blocks, grain_of(axes.rows * kColumnsPerRun), [=](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      const int64_t matrix = block / blocks, first = block % blocks * kColumnsPerRun;
      const int64_t width = std::min(kColumnsPerRun, axes.columns - first);
      const T* g = update.g + axes.first_element(matrix) + first * axes.column_stride;
      double sums[kColumnsPerRun] = {};
      for (int64_t row = 0; row < axes.rows; ++row, g += axes.row_stride)
        for (int64_t j = 0; j < width; ++j)
          sums[j] += double(g[j * axes.column_stride]) * double(g[j * axes.column_stride]);
      T* to = moment + matrix * axes.columns + first;
      for (int64_t j = 0; j < width; ++j)
        to[j] =
            T(update.beta2 * double(to[j]) + (1 - update.beta2) * (sums[j] / double(axes.rows) + kEpsilon));
    }
  });
}

template <class T>
void update_factored(const Update<T>& update, const FactoredAxes& axes, T* rows, T* columns) {
  average_rows(update, axes, rows);
  average_columns(update, axes, columns);
  std::vector<double> mean(size_t(axes.matrices));
  for (int64_t matrix = 0; matrix < axes.matrices; ++matrix)
    mean[matrix] =
        std::accumulate(rows + matrix * axes.rows, rows + (matrix + 1) * axes.rows, 0.0) / double(axes.rows);
  parallel_for(axes.matrices * axes.rows, grain_of(axes.columns), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t matrix = row / axes.rows;
      const int64_t first = axes.first_element(matrix) + row % axes.rows * axes.row_stride;
      const T share = T(double(rows[row]) / mean[matrix]);
      const T* column = columns + matrix * axes.columns;
      for (int64_t j = 0; j < axes.columns; ++j)
        update.apply(first + j * axes.column_stride, std::sqrt(share * column[j]));
    }
  });
}

void expect_arrays(const char* op, const Tensor& w, const Tensor& m, const Tensor& g) {
  expect_floating(op, "w", w);
  expect_rank(op, "w", w, 1);
  for (const auto& [name, x] : {std::pair{"m", &m}, {"g", &g}}) {
    expect_shape(op, name, *x, w.shape(), "because w is that");
    expect_same_kind(op, name, *x, "w", w);
  }
}

template <class T>
Update<T> update_of(Tensor& w, Tensor& m, const Tensor& g, const AdafactorConstants& c) {
  return {w.mutable_data<T>(), m.mutable_data<T>(), g.data<T>(), c.beta2, T(c.beta1), T(c.lr), T(c.decay)};
}

cuda::AdafactorArrays device_arrays(Tensor& w, Tensor& m, const Tensor& g) {
  return {w.mutable_device_data<float>(), m.mutable_device_data<float>(), g.device_data<float>()};
}

cuda::AdafactorStep device_step(const AdafactorConstants& c) {
  return {float(c.beta1), float(c.beta2), float(c.lr), float(c.decay)};
}

[[noreturn]] void refuse_bf16(const char* op, const Tensor& w) {
  throw DTypeError(op, ": w is ", w.dtype(), " on ", w.device(), "; expected f32");
}

}  // namespace

int64_t FactoredAxes::first_element(int64_t matrix) const {
  // Matrices are counted over the axes before the two, between them and behind them, the last fastest.
  const int64_t behind = matrix % column_stride;
  const int64_t middle = matrix / column_stride % between;
  const int64_t before = matrix / column_stride / between;
  return before * rows * row_stride + middle * columns * column_stride + behind;
}

void adafactor_full(Tensor& w, Tensor& m, const Tensor& g, Tensor& v, const AdafactorConstants& constants) {
  expect_arrays("adafactor_full", w, m, g);
  expect_shape("adafactor_full", "v", v, w.shape(), "because w is that");
  expect_same_kind("adafactor_full", "v", v, "w", w);
  const int64_t count = w.element_count();
  const auto on_cpu = [&]<class T>(OnCpu<T>) {
    update_full(update_of<T>(w, m, g, constants), v.mutable_data<T>(), count);
  };
  dispatch("adafactor_full", w, on_cpu, [&]<class T>(OnCuda<T> on) {
    if constexpr (std::is_same_v<T, float>)
      cuda::adafactor_full(on.stream, device_arrays(w, m, g), device_step(constants),
                           v.mutable_device_data<T>(), count);
    else
      refuse_bf16("adafactor_full", w);
  });
}

void adafactor_factored(Tensor& w, Tensor& m, const Tensor& g, Tensor& rows, Tensor& columns,
                        const FactoredAxes& axes, const AdafactorConstants& constants) {
  expect_arrays("adafactor_factored", w, m, g);
  expect_shape("adafactor_factored", "rows", rows, {axes.matrices, axes.rows}, "by its axes");
  expect_shape("adafactor_factored", "columns", columns, {axes.matrices, axes.columns}, "by its axes");
  expect_same_kind("adafactor_factored", "rows", rows, "w", w);
  expect_same_kind("adafactor_factored", "columns", columns, "w", w);
  expect_shape("adafactor_factored", "w", w, {axes.matrices * axes.rows * axes.columns}, "by its axes");
  const auto on_cpu = [&]<class T>(OnCpu<T>) {
    update_factored(update_of<T>(w, m, g, constants), axes, rows.mutable_data<T>(),
                    columns.mutable_data<T>());
  };
  dispatch("adafactor_factored", w, on_cpu, [&]<class T>(OnCuda<T> on) {
    if constexpr (std::is_same_v<T, float>) {
      Tensor means = empty({axes.matrices}, DType::f32, w.device());
      cuda::adafactor_factored(
          on.stream, device_arrays(w, m, g), device_step(constants),
          {axes.matrices, axes.rows, axes.columns, axes.row_stride, axes.column_stride, axes.between},
          rows.mutable_device_data<T>(), columns.mutable_device_data<T>(), means.mutable_device_data<T>());
    } else {
      refuse_bf16("adafactor_factored", w);
    }
  });
}

}  // namespace limoe
