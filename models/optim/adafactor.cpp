#include "models/optim/adafactor.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "models/optim/expect_settings.h"
#include "models/optim/sum_of_squares.h"
#include "ops/dispatch.h"
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

int64_t most_experts(const ParameterArena& arena) {
  int64_t most = 0;
  for (const Parameter& parameter : arena.parameters())
    if (parameter.spec.expert_major) most = std::max(most, parameter.spec.shape[0]);
  return most;
}

}  // namespace

int64_t FactoredAxes::first_element(int64_t matrix) const {
  // Matrices are counted over the axes before the two, between them and behind them, the last fastest.
  const int64_t behind = matrix % column_stride;
  const int64_t middle = matrix / column_stride % between;
  const int64_t before = matrix / column_stride / between;
  return before * rows * row_stride + middle * columns * column_stride + behind;
}

std::optional<FactoredAxes> factored_axes(const ParameterSpec& spec, int64_t min_factored) {
  const Shape& shape = spec.shape;
  std::vector<int> by_size;
  for (int axis = spec.expert_major ? 1 : 0; axis < shape.rank(); ++axis) by_size.push_back(axis);
  if (by_size.size() < 2) return {};
  std::stable_sort(by_size.begin(), by_size.end(), [&](int a, int b) { return shape[a] < shape[b]; });
  const auto [row_axis, column_axis] = std::minmax(by_size.end()[-2], by_size.end()[-1]);
  if (std::min(shape[row_axis], shape[column_axis]) < min_factored) return {};
  const Strides strides = contiguous_strides(shape);
  FactoredAxes axes{.rows = shape[row_axis], .columns = shape[column_axis]};
  axes.row_stride = strides[row_axis];
  axes.column_stride = strides[column_axis];
  axes.between = axes.row_stride / (axes.columns * axes.column_stride);
  axes.matrices = shape.element_count() / (axes.rows * axes.columns);
  return axes;
}

Adafactor::Adafactor(const ParameterArena& arena, const AdafactorSettings& settings)
    : Optimizer(arena), settings_(settings), first_moment_(zeros_like(arena.values())) {
  expect_share("adafactor", "beta1", settings.beta1);
  expect_share("adafactor", "beta2_cap", settings.beta2_cap);
  expect_not_negative("adafactor", "weight_decay", settings.weight_decay);
  if (settings.min_factored < 2)
    throw ValueError("adafactor: min_factored is ", settings.min_factored, "; expected 2 or more");
  const int64_t min_factored = std::max(settings.min_factored, most_experts(arena) + 1);
  const DType dtype = arena.values().dtype();
  for (const Slot& slot : slots()) {
    SecondMoment moment{factored_axes(slot.spec, min_factored), {}, {}, {}};
    if (const auto& axes = moment.axes) {
      moment.rows = zeros({axes->matrices, axes->rows}, dtype);
      moment.columns = zeros({axes->matrices, axes->columns}, dtype);
    } else {
      moment.full = zeros(slot.spec.shape, dtype);
    }
    second_moments_.push_back(std::move(moment));
  }
}

void Adafactor::step(ParameterArena& arena, const StepRates& rates) {
  begin_step(arena);
  const double beta2 = std::min(settings_.beta2_cap, 1 - std::pow(double(steps()), -0.8));
  dispatch("adafactor", arena.values(), [&]<class T>(OnCpu<T>) {
    T* const values = arena.values().mutable_data<T>();
    T* const first_moments = first_moment_.mutable_data<T>();
    const T* const gradients = arena.gradients().data<T>();
    for (size_t i = 0; i < slots().size(); ++i) {
      const Slot& slot = slots()[i];
      const double decay = slot.spec.decays ? rates.schedule * settings_.weight_decay : 0;
      const Update<T> update{values + slot.offset,
                             first_moments + slot.offset,
                             gradients + slot.offset,
                             beta2,
                             T(settings_.beta1),
                             T(rates.lr),
                             T(decay)};
      SecondMoment& moment = second_moments_[i];
      if (moment.axes)
        update_factored(update, *moment.axes, moment.rows.mutable_data<T>(),
                        moment.columns.mutable_data<T>());
      else
        update_full(update, moment.full.mutable_data<T>(), slot.count);
    }
  });
}

std::map<std::string, Tensor> Adafactor::state() const {
  std::map<std::string, Tensor> state = common_state();
  add_views(state, "first_moment", first_moment_);
  for (size_t i = 0; i < slots().size(); ++i) {
    const std::string& parameter = slots()[i].spec.name;
    const SecondMoment& moment = second_moments_[i];
    if (moment.axes) {
      state.emplace("row_moment." + parameter, moment.rows);
      state.emplace("column_moment." + parameter, moment.columns);
    } else {
      state.emplace("second_moment." + parameter, moment.full);
    }
  }
  return state;
}

}  // namespace limoe
