#include "autograd/parameter.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "autograd/backward.h"
#include "ops/mul.h"
#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/compare.h"

using namespace limoe;
using namespace limoe::testing;

namespace {

std::vector<ParameterSpec> mixed_specs() {
  return {{"scalar", {}, Init::constant(2)},
          {"blocks.0.kernel", {3, 7}, Init::normal(0.5), true},
          {"blocks.0.bias", {7}, Init::zeros()},
          {"nothing", {0, 3}, Init::zeros()},
          {"blocks.1.kernel", {5, 11}, Init::xavier_uniform(5, 11), true}};
}

}  // namespace

TEST_CASE("arena: every parameter starts on a 64-byte boundary, and none overlaps another") {
  const ParameterArena arena(mixed_specs(), 1);
  int64_t end = 0;
  for (const Parameter& parameter : arena.parameters()) {
    CHECK(parameter.offset % 16 == 0);
    CHECK(parameter.offset >= end);
    if (parameter.spec.shape.element_count() > 0)
      CHECK(reinterpret_cast<uintptr_t>(parameter.var.value().raw_data()) % 64 == 0);
    end = parameter.offset + parameter.spec.shape.element_count();
  }
  CHECK(arena.size() >= end);
  CHECK(arena.size() % 16 == 0);
  CHECK(element_count(mixed_specs()) == 1 + 21 + 7 + 0 + 55);
}

TEST_CASE("arena: padding and gradients start at zero") {
  const ParameterArena arena({{"a", {3}, Init::constant(7)}, {"b", {1}, Init::constant(7)}}, 1);
  std::vector<float> wanted(32, 0.0f);
  wanted[0] = wanted[1] = wanted[2] = wanted[16] = 7;
  CHECK_SAME_BITS(arena.values(), from_vector<float>({32}, wanted));
  CHECK_SAME_BITS(arena.gradients(), zeros({32}));
}

TEST_CASE(
    "arena: initial values depend on the seed and the name, not on the order or on what else there is") {
  std::vector<ParameterSpec> reversed = mixed_specs();
  std::reverse(reversed.begin(), reversed.end());
  reversed.push_back({"one more", {100}, Init::normal(1)});
  const ParameterArena arena(mixed_specs(), 1), other(reversed, 1), reseeded(mixed_specs(), 2);
  for (const ParameterSpec& spec : mixed_specs())
    CHECK_SAME_BITS(arena[spec.name].value(), other[spec.name].value());
  CHECK_FALSE(same_bits(arena["blocks.0.kernel"].value(), reseeded["blocks.0.kernel"].value()).ok);
  const ParameterArena twins({{"a", {64}, Init::normal(1)}, {"b", {64}, Init::normal(1)}}, 1);
  CHECK_FALSE(same_bits(twins["a"].value(), twins["b"].value()).ok);
}

TEST_CASE("arena: initialisations have the spread they promise") {
  const int64_t count = 40000;
  const ParameterArena arena(
      {{"normal", {count}, Init::normal(0.02)}, {"xavier", {count}, Init::xavier_uniform(100, 300)}}, 3);
  const double limit = std::sqrt(6.0 / 400);
  const auto deviation = [](const Tensor& x) {
    double sum = 0;
    for (const double value : to_vector<double>(x)) sum += value * value;
    return std::sqrt(sum / double(x.element_count()));
  };
  CHECK(deviation(arena["normal"].value()) == doctest::Approx(0.02).epsilon(0.02));
  CHECK(deviation(arena["xavier"].value()) == doctest::Approx(limit / std::sqrt(3)).epsilon(0.02));
  for (const double value : to_vector<double>(arena["xavier"].value())) REQUIRE(std::abs(value) <= limit);
}

TEST_CASE("arena: gradients arrive in its block and are zeroed together") {
  ParameterArena arena({{"a", {2}, Init::constant(3)}, {"b", {2}, Init::constant(5)}}, 1, DType::f64);
  for (int pass = 0; pass < 2; ++pass) backward({{mul(arena["a"], arena["b"]), full({2}, 1, DType::f64)}});
  const Parameter& b = arena.parameter("b");
  CHECK_SAME_BITS(arena.gradients().slice(0, b.offset, b.offset + 2), full({2}, 6, DType::f64));
  CHECK(arena["a"].gradient().shares_memory_with(arena.gradients()));
  arena.zero_gradients();
  CHECK_SAME_BITS(arena["a"].gradient(), zeros({2}, DType::f64));
}

TEST_CASE("arena: a parameter that no gradient reached has zeros, whatever was there before") {
  ParameterArena arena({{"a", {2}, Init::constant(3)}, {"b", {2}, Init::constant(3)}}, 1);
  backward({{mul(arena["b"], arena["b"]), full({2}, 1)}});
  arena.zero_gradients();
  backward({{mul(arena["a"], arena["a"]), full({2}, 1)}});
  std::vector<float> wanted(32, 0.0f);
  wanted[0] = wanted[1] = 6;
  CHECK_SAME_BITS(arena.gradients(), from_vector<float>({32}, wanted));
  CHECK_SAME_BITS(arena["b"].gradient(), zeros({2}));
}

TEST_CASE("arena: an unknown name is refused with the nearest known one; a name occurs once") {
  const ParameterArena arena(mixed_specs(), 1);
  CHECK_THROWS_WITH_AS(arena["blocks.1.kernal"],
                       "parameter: blocks.1.kernal is unknown; the nearest known name is blocks.1.kernel",
                       ValueError);
  CHECK_THROWS_WITH_AS(ParameterArena({{"a", {2}, Init::zeros()}, {"a", {3}, Init::zeros()}}, 1),
                       "parameter: a is declared twice; expected once", ValueError);
}

TEST_CASE("arena: assign overwrites values, also from a view, and refuses what does not fit") {
  ParameterArena arena(mixed_specs(), 1);
  const Tensor turned = random_normal({7, 3}, 0, 1, 1, 1).transpose(0, 1);
  arena.assign("blocks.0.kernel", turned);
  CHECK_SAME_BITS(arena["blocks.0.kernel"].value(), clone(turned));
  CHECK_THROWS_WITH_AS(arena.assign("blocks.0.bias", zeros({8})),
                       "parameter: blocks.0.bias was given [8]; expected [7]", ShapeError);
  CHECK_THROWS_WITH_AS(arena.assign("blocks.0.bias", zeros({7}, DType::f64)),
                       "parameter: blocks.0.bias was given f64; expected f32", DTypeError);
  CHECK_THROWS_AS(arena.assign("blocks.0.bia", zeros({7})), ValueError);
}

TEST_CASE("arena: no parameters at all are legal") {
  const ParameterArena arena({}, 1);
  CHECK(arena.size() == 0);
  CHECK_THROWS_AS(arena["a"], ValueError);
}
