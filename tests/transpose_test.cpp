#include "ops/transpose.h"

#include <doctest/doctest.h>

#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/op_case.h"

using namespace limoe;
using namespace limoe::testing;

TEST_CASE("transpose: gradient, f32, views, threads and memory on odd shapes") {
  const auto check = [](const Shape& shape, int a, int b) {
    check_op({"transpose", {normal(shape)}, [=](const Vars& in) { return transpose(in[0], a, b); }});
  };
  check({2, 3, 5}, 0, 2);
  check({3, 4}, -1, -2);
  check({1, 2}, 1, 1);
  check({0, 3}, 0, 1);
}

TEST_CASE("transpose: a device makes transposed views contiguous, in tiles and without") {
  const auto check = [](const Shape& shape, int a, int b) {
    check_device({"transpose", {normal(shape)}, [=](const Vars& in) { return transpose(in[0], a, b); }});
  };
  check({3, 5}, 0, 1);
  check({33, 65}, 0, 1);
  check({2, 3, 40, 8}, 1, 2);
  check({2, 3, 40, 8}, 0, 3);
  check({2, 33, 3}, 0, 2);
  check({8195, 2, 3}, 1, 2);  // more tiles than blocks: some take a second one
  check({0, 3}, 0, 1);
}

TEST_CASE("transpose: by hand, as a view; an axis that is not there is refused") {
  const Tensor x = from_vector<float>({2, 2}, {1, 2, 3, 4});
  const Tensor y = transpose(Var(x), 0, 1).value();
  CHECK(y.shares_memory_with(x));
  CHECK_SAME_BITS(y, from_vector<float>({2, 2}, {1, 3, 2, 4}));
  CHECK_THROWS_WITH_AS(transpose(Var(x), 0, 2), "Shape: axis 2 was asked of [2, 2]; expected -2..1",
                       ShapeError);
}
