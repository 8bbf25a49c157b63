#include "models/optim/optimizer.h"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <memory>

#include "models/optim/adafactor.h"
#include "models/optim/adamw.h"
#include "tensor/error.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"
#include "tensor/safetensors.h"
#include "tests/support/compare.h"
#include "tests/support/golden_ops.h"

using namespace limoe;
using namespace limoe::testing;

namespace {

constexpr int kGoldenSteps = 7;

double setting(const std::string& name) {
  return std::stod(golden_ops().metadata.at("optimiser." + name));
}

std::vector<ParameterSpec> golden_specs() {
  return {{"dense.kernel", {8, 12}, {}, true},
          {"expert.kernel", {3, 9, 8}, {}, true, true},
          {"expert.bias", {3, 12}, {}, false, true},
          {"vector", {5}, {}}};
}

void set_gradient(ParameterArena& arena, const std::string& name, const Tensor& values) {
  const Parameter& parameter = arena.parameter(name);
  Tensor to = arena.gradients()
                  .slice(0, parameter.offset, parameter.offset + values.element_count())
                  .reshape(values.shape());
  copy_into(to, values);
}

Tensor golden_tensor(const std::string& name, DType dtype) {
  return to_dtype(golden_ops().tensors.at("optimiser." + name), dtype);
}

using Make = std::function<std::unique_ptr<Optimizer>(const ParameterArena&)>;

// The golden gradients through an optimizer; every parameter is compared after every step.
void follow_golden(const std::string& kind, DType dtype, const StepRates& rates, tolerance::Allowed allowed,
                   const Make& make) {
  ParameterArena arena(golden_specs(), 0, dtype);
  for (const ParameterSpec& spec : golden_specs())
    arena.assign(spec.name, golden_tensor(spec.name + ".start", dtype));
  const std::unique_ptr<Optimizer> optimizer = make(arena);
  for (int step = 0; step < kGoldenSteps; ++step) {
    for (const ParameterSpec& spec : golden_specs())
      set_gradient(
          arena, spec.name,
          golden_tensor(spec.name + ".gradients", dtype).slice(0, step, step + 1).reshape(spec.shape));
    optimizer->step(arena, rates);
    for (const ParameterSpec& spec : golden_specs()) {
      INFO(kind, " ", spec.name, " step ", step);
      CHECK_CLOSE(
          arena[spec.name].value(),
          golden_tensor(kind + "." + spec.name, DType::f64).slice(0, step, step + 1).reshape(spec.shape),
          allowed);
    }
  }
}

std::unique_ptr<Optimizer> golden_adamw(const ParameterArena& arena) {
  return std::make_unique<AdamW>(arena, AdamWSettings{setting("adamw.beta1"), setting("adamw.beta2"),
                                                      setting("adamw.epsilon"), setting("adamw.decay")});
}

// The golden decay is multiplied by the learning rate; ours is not (adafactor.h).
std::unique_ptr<Optimizer> golden_adafactor(const ParameterArena& arena) {
  return std::make_unique<Adafactor>(
      arena, AdafactorSettings{setting("adafactor.beta1"), setting("adafactor.beta2_cap"),
                               int64_t(setting("adafactor.min_factored")),
                               setting("adafactor.decay") * setting("adafactor.lr")});
}

const std::vector<std::pair<std::string, Make>> kBoth{
    {"adamw",
     [](const ParameterArena& arena) {
       return std::make_unique<AdamW>(arena, AdamWSettings{.weight_decay = 0.1});
     }},
    {"adafactor", [](const ParameterArena& arena) {
       return std::make_unique<Adafactor>(arena, AdafactorSettings{.min_factored = 8, .weight_decay = 0.1});
     }}};

// Shapes that reach every path: factored with odd rows and columns, expert-major, full, a scalar, an empty
// one.
std::vector<ParameterSpec> odd_specs() {
  return {{"large.kernel", {131, 257}, Init::normal(1), true},
          {"expert.kernel", {3, 33, 65}, Init::normal(1), true, true},
          {"bias", {17}, Init::normal(1)},
          {"scalar", {}, Init::constant(1)},
          {"nothing", {0, 5}, Init::zeros()},
          {"long", {40000}, Init::normal(1)}};
}

void draw_gradients(ParameterArena& arena, uint64_t step) {
  for (const Parameter& parameter : arena.parameters())
    set_gradient(arena, parameter.spec.name,
                 random_normal(parameter.spec.shape, 0, 1, step, uint64_t(parameter.offset)));
}

Tensor values_after(const Make& make, int steps) {
  ParameterArena arena(odd_specs(), 1);
  const auto optimizer = make(arena);
  for (int step = 0; step < steps; ++step) {
    draw_gradients(arena, uint64_t(step));
    optimizer->step(arena, {0.01, 0.5});
  }
  return clone(arena.values());
}

}  // namespace

TEST_CASE("adamw: seven golden steps in f64 and in f32") {
  const StepRates rates{setting("adamw.lr"), 1};
  follow_golden("adamw", DType::f64, rates, tolerance::kGoldenF64, golden_adamw);
  follow_golden("adamw", DType::f32, rates, tolerance::f32_sum(kGoldenSteps), golden_adamw);
}

TEST_CASE("adafactor: seven golden steps in f64 and in f32") {
  const StepRates rates{setting("adafactor.lr"), 1};
  follow_golden("adafactor", DType::f64, rates, tolerance::kGoldenF64, golden_adafactor);
  follow_golden("adafactor", DType::f32, rates, tolerance::f32_sum(kGoldenSteps), golden_adafactor);
}

TEST_CASE("adamw: the first step is lr times the gradient's sign, and decay shrinks kernels alone") {
  ParameterArena arena({{"kernel", {2}, Init::constant(3), true}, {"bias", {2}, Init::constant(3)}}, 0,
                       DType::f64);
  set_gradient(arena, "kernel", from_vector<double>({2}, {5, -0.25}));
  set_gradient(arena, "bias", from_vector<double>({2}, {5, -0.25}));
  AdamW adamw(arena, {.epsilon = 1e-30, .weight_decay = 0.5});
  adamw.step(arena, {0.1, 1});
  // 3 - 0.1 (+-1 + 0.5 * 3)
  CHECK_CLOSE(arena["kernel"].value(), from_vector<double>({2}, {2.75, 2.95}), tolerance::kGoldenF64);
  CHECK_CLOSE(arena["bias"].value(), from_vector<double>({2}, {2.9, 3.1}), tolerance::kGoldenF64);
}

TEST_CASE("adafactor: the first factored step, worked out by hand, with decay by schedule and not by lr") {
  // g^2 = [[1, 4], [9, 4]]: rows 2.5 and 6.5, columns 5 and 4, mean 4.5, beta2 = 0 in the first step.
  ParameterArena arena({{"kernel", {2, 2}, Init::constant(10), true}}, 0, DType::f64);
  set_gradient(arena, "kernel", from_vector<double>({2, 2}, {1, -2, 3, 2}));
  Adafactor adafactor(arena, {.min_factored = 2, .weight_decay = 0.01});
  adafactor.step(arena, {0.1, 0.5});
  const auto expected = [](double g, double row, double column) {
    return 10 - 0.1 * 0.1 * g / std::sqrt(row * column / 4.5) - 0.5 * 0.01 * 10;
  };
  CHECK_CLOSE(arena["kernel"].value(),
              from_vector<double>({2, 2}, {expected(1, 2.5, 5), expected(-2, 2.5, 4), expected(3, 6.5, 5),
                                           expected(2, 6.5, 4)}),
              tolerance::kGoldenF64);
}

TEST_CASE("adafactor: a gradient of zero moves nothing") {
  ParameterArena arena({{"kernel", {40, 40}, Init::constant(1)}, {"bias", {3}, Init::constant(1)}}, 0);
  Adafactor adafactor(arena, {});
  adafactor.step(arena, {0.1, 1});
  CHECK_SAME_BITS(arena["kernel"].value(), full({40, 40}, 1));
  CHECK_SAME_BITS(arena["bias"].value(), full({3}, 1));
}

TEST_CASE("optimizers: the same bits on 1, 2 and 3 threads") {
  const int threads = thread_count();
  for (const auto& [name, make] : kBoth) {
    set_thread_count(1);
    const Tensor alone = values_after(make, 3);
    for (const int count : {2, 3}) {
      set_thread_count(count);
      CHECK_SAME_BITS(values_after(make, 3), alone);
    }
  }
  set_thread_count(threads);
}

TEST_CASE("optimizers: saved and loaded state continues with the same bits") {
  for (const auto& [name, make] : kBoth) {
    ParameterArena arena(odd_specs(), 1);
    std::map<std::string, Tensor> saved;
    {
      const auto first = make(arena);
      for (uint64_t step = 0; step < 2; ++step) draw_gradients(arena, step), first->step(arena, {0.01, 0.5});
      for (const auto& [key, tensor] : first->state()) saved[key] = clone(tensor);
    }
    const auto second = make(arena);
    second->load_state(saved);
    draw_gradients(arena, 2);
    second->step(arena, {0.01, 0.5});
    CHECK_SAME_BITS(arena.values(), values_after(make, 3));
  }
}

TEST_CASE("optimizers: state that does not fit is refused by name, and nothing is changed") {
  const ParameterArena arena({{"a", {2}, Init::zeros()}}, 0);
  AdamW adamw(arena, {});
  auto state = adamw.state();
  for (auto& [name, tensor] : state) tensor = clone(tensor);
  state["steps"] = from_vector<int32_t>({}, {9});
  auto foreign = state, lacking = state, wide = state, other_type = state;
  foreign["first_moment.b"] = zeros({2});
  CHECK_THROWS_WITH_AS(
      adamw.load_state(foreign),
      "optimizer state: first_moment.b is unknown to adamw; the nearest known name is first_moment.a",
      ValueError);
  lacking.erase("second_moment.a");
  CHECK_THROWS_WITH_AS(adamw.load_state(lacking),
                       "optimizer state: second_moment.a is missing; expected all of adamw's", ValueError);
  wide["second_moment.a"] = zeros({3});
  CHECK_THROWS_WITH_AS(adamw.load_state(wide), "optimizer state: second_moment.a is [3]; expected [2]",
                       ShapeError);
  other_type["second_moment.a"] = zeros({2}, DType::f64);
  CHECK_THROWS_WITH_AS(adamw.load_state(other_type), "optimizer state: second_moment.a is f64; expected f32",
                       DTypeError);
  CHECK(item(adamw.state().at("steps")) == 0);
  adamw.load_state(state);
  CHECK(item(adamw.state().at("steps")) == 9);
}

TEST_CASE("optimizers: another arena and settings out of range are refused") {
  ParameterArena arena({{"a", {2}, Init::zeros()}}, 0), other({{"a", {20}, Init::zeros()}}, 0);
  AdamW adamw(arena, {});
  CHECK_THROWS_WITH_AS(adamw.step(other, {}),
                       "adamw: the arena has 1 parameters in 32 f32 elements; expected 1 in 16 f32 as when "
                       "the optimizer was made",
                       ValueError);
  CHECK_THROWS_WITH_AS(AdamW(arena, {.beta1 = 1}), "adamw: beta1 is 1; expected 0 or more and below 1",
                       ValueError);
  CHECK_THROWS_AS(AdamW(arena, {.beta2 = -0.1}), ValueError);
  CHECK_THROWS_WITH_AS(AdamW(arena, {.epsilon = 0}), "adamw: epsilon is 0; expected more than 0", ValueError);
  CHECK_THROWS_AS(AdamW(arena, {.weight_decay = NAN}), ValueError);
  CHECK_THROWS_AS(Adafactor(arena, {.beta2_cap = 1.5}), ValueError);
  CHECK_THROWS_WITH_AS(Adafactor(arena, {.min_factored = 1}),
                       "adafactor: min_factored is 1; expected 2 or more", ValueError);
}
