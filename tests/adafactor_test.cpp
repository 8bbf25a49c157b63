#include "models/optim/adafactor.h"

#include <doctest/doctest.h>

#include "tensor/factory.h"
#include "tests/support/compare.h"

using namespace limoe;
using namespace limoe::testing;

TEST_CASE("adafactor: the two largest axes are factored, never the experts', never below the limit") {
  const auto axes = [](const Shape& shape, bool expert_major, int64_t least) {
    return factored_axes({"p", shape, {}, false, expert_major}, least);
  };
  CHECK_FALSE(axes({}, false, 32));
  CHECK_FALSE(axes({100}, false, 32));
  CHECK_FALSE(axes({31, 1000}, false, 32));
  REQUIRE(axes({32, 1000}, false, 32));
  CHECK_FALSE(axes({64, 128}, true, 32));  // an expert bias: one axis is left
  const auto expert_kernel = axes({64, 32, 48}, true, 32);
  REQUIRE(expert_kernel);
  CHECK(expert_kernel->matrices == 64);
  CHECK(expert_kernel->rows == 32);
  CHECK(expert_kernel->columns == 48);
  CHECK(expert_kernel->first_element(5) == 5 * 32 * 48);
  // [2, 40, 3, 50, 4]: matrices over axes 0, 2 and 4.
  const auto apart = axes({2, 40, 3, 50, 4}, false, 32);
  REQUIRE(apart);
  CHECK(apart->matrices == 24);
  CHECK(apart->row_stride == 600);
  CHECK(apart->column_stride == 4);
  CHECK(apart->first_element(23) == 40 * 3 * 50 * 4 + 2 * 50 * 4 + 3);
  // Of three equal axes, the two later ones.
  CHECK(axes({33, 33, 33}, false, 32)->matrices == 33);
  CHECK(axes({33, 33, 33}, false, 32)->column_stride == 1);
}

TEST_CASE("adafactor: a router's kernel is not factored over its experts") {
  const ParameterArena arena(
      {{"router.kernel", {64, 40}, Init::zeros()}, {"up.kernel", {40, 64, 48}, Init::zeros(), true, true}},
      0);
  const auto state = Adafactor(arena, {}).state();
  CHECK(state.contains("second_moment.router.kernel"));
  CHECK(state.at("row_moment.up.kernel").shape() == Shape{40, 64});
  CHECK(state.at("column_moment.up.kernel").shape() == Shape{40, 48});
}

TEST_CASE("adafactor: axes that lie apart are factored as if they were neighbours") {
  // [3, 8, 2, 9, 2] and the same numbers with axes 1 and 3 last.
  const Shape apart{3, 8, 2, 9, 2};
  const Tensor gradient = random_normal(apart, 0, 1, 3, 0, DType::f64);
  const auto together = [](const Tensor& x) {
    return clone(x.transpose(1, 2).transpose(2, 4).transpose(3, 4));
  };
  const Tensor moved = together(gradient);
  ParameterArena one({{"p", apart, Init::zeros()}}, 0, DType::f64),
      two({{"p", moved.shape(), Init::zeros()}}, 0, DType::f64);
  REQUIRE(moved.shape() == Shape{3, 2, 2, 8, 9});
  copy_into(one.gradients(), gradient.reshape(one.gradients().shape()));
  copy_into(two.gradients(), moved.reshape(two.gradients().shape()));
  Adafactor(one, {.min_factored = 5}).step(one, {0.1, 1});
  Adafactor(two, {.min_factored = 5}).step(two, {0.1, 1});
  CHECK_CLOSE(together(one["p"].value()), two["p"].value(), tolerance::kGoldenF64);
}
