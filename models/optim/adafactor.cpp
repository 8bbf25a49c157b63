#include "models/optim/adafactor.h"

#include <algorithm>
#include <cmath>

#include "models/optim/expect_settings.h"
#include "tensor/factory.h"

namespace limoe {
namespace {

int64_t most_experts(const ParameterArena& arena) {
  int64_t most = 0;
  for (const Parameter& parameter : arena.parameters())
    if (parameter.spec.expert_major) most = std::max(most, parameter.spec.shape[0]);
  return most;
}

}  // namespace

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
  first_moment_.name_memory("moments of adafactor");
  expect_share("adafactor", "beta1", settings.beta1);
  expect_share("adafactor", "beta2_cap", settings.beta2_cap);
  expect_not_negative("adafactor", "weight_decay", settings.weight_decay);
  if (settings.min_factored < 2)
    throw ValueError("adafactor: min_factored is ", settings.min_factored, "; expected 2 or more");
  const int64_t min_factored = std::max(settings.min_factored, most_experts(arena) + 1);
  const Tensor& values = arena.values();
  for (const Slot& slot : slots()) {
    SecondMoment moment{factored_axes(slot.spec, min_factored), {}, {}, {}};
    if (const auto& axes = moment.axes) {
      moment.rows = zeros({axes->matrices, axes->rows}, values.dtype(), values.device());
      moment.columns = zeros({axes->matrices, axes->columns}, values.dtype(), values.device());
    } else {
      moment.full = zeros(slot.spec.shape, values.dtype(), values.device());
    }
    second_moments_.push_back(std::move(moment));
  }
}

void Adafactor::step(ParameterArena& arena, const StepRates& rates) {
  begin_step(arena);
  const double beta2 = std::min(settings_.beta2_cap, 1 - std::pow(double(steps()), -0.8));
  for (size_t i = 0; i < slots().size(); ++i) {
    const Slot& slot = slots()[i];
    const auto part = [&](const Tensor& flat) {
      return flat.slice(0, slot.offset, slot.offset + slot.count);
    };
    Tensor values = part(arena.values()), first_moment = part(first_moment_);
    const Tensor gradients = part(arena.gradients());
    const double decay = slot.spec.decays ? rates.schedule * settings_.weight_decay : 0;
    const AdafactorConstants constants{settings_.beta1, beta2, rates.lr, decay};
    SecondMoment& moment = second_moments_[i];
    if (moment.axes) {
      adafactor_factored(values, first_moment, gradients, moment.rows, moment.columns, *moment.axes,
                         constants);
    } else {
      Tensor flat = moment.full.reshape({slot.count});
      adafactor_full(values, first_moment, gradients, flat, constants);
    }
  }
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
