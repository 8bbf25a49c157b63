// What a leaf's gradient holds after a backward pass, and whose memory it is.
#include <doctest/doctest.h>

#include <limits>

#include "autograd/backward.h"
#include "autograd/record.h"
#include "ops/mul.h"
#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/compare.h"
#include "tests/support/scalars.h"

using namespace limoe;
using namespace limoe::testing;

TEST_CASE("backward: leaves add up over passes, and their gradient memory is the one that was given") {
  Tensor memory = full({}, 100, DType::f64);
  const Var x = leaf(full({}, 2, DType::f64), memory);
  for (int pass = 0; pass < 3; ++pass) backward(mul(x, x));
  CHECK(item(memory) == 112);
}

TEST_CASE("backward: a gradient that counts as zeros is written over, whatever its memory holds") {
  Tensor memory = full({2}, std::numeric_limits<double>::quiet_NaN(), DType::f64);
  const Var x = leaf(full({2}, 3, DType::f64), memory),
            unused = leaf(full({2}, 3, DType::f64), clone(memory));
  x.node()->forget_gradient();
  unused.node()->forget_gradient();
  backward({{mul(x, x), full({2}, 1, DType::f64)}});
  CHECK_SAME_BITS(memory, full({2}, 6, DType::f64));
  backward({{mul(x, x), full({2}, 1, DType::f64)}});  // holds something now
  CHECK_SAME_BITS(x.gradient(), full({2}, 12, DType::f64));
  CHECK_SAME_BITS(unused.gradient(), zeros({2}, DType::f64));
}

TEST_CASE("backward: an op may write a gradient into the leaf's own memory; what is there is added to") {
  const auto doubled = [](const Var& a, const Var& b) {  // 2 a + 2 b
    return record("doubled", clone(a.value()), {a, b}, [](const Tensor& dy, InputGradients& d) {
      for (const size_t input : {0, 1}) {
        Tensor room = d.room(input, dy);
        copy_into(room, dy);
        add_into(room, dy);
        d.set(input, room);
      }
    });
  };
  const Var x = scalar(3), frozen = Var(full({}, 5, DType::f64));
  backward(doubled(x, frozen));
  CHECK(gradient_of(x) == 2);
  backward(doubled(frozen, x));
  CHECK(gradient_of(x) == 4);
  x.node()->forget_gradient();
  backward(doubled(x, x));  // two inputs, one memory
  CHECK(gradient_of(x) == 4);
  x.node()->forget_gradient();
  backward(mul(doubled(x, x), doubled(x, x)));  // each factor is 3 and gets 2 * 3 twice
  CHECK(gradient_of(x) == 24);
}

TEST_CASE("backward: a room that was asked for and not used is an error, never a gradient") {
  const auto careless = [](bool sets) {
    return record("careless", full({}, 3, DType::f64), {scalar(3)},
                  [sets](const Tensor& dy, InputGradients& d) {
                    d.room(0, dy);
                    if (sets) d.set(0, dy);
                  });
  };
  CHECK_THROWS_WITH_AS(backward(careless(true)), doctest::Contains("expected it in the room"), ValueError);
  CHECK_THROWS_WITH_AS(backward(careless(false)), doctest::Contains("was not set"), ValueError);
}
