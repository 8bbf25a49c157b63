#include "ops/slice.h"

#include <doctest/doctest.h>

#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/op_case.h"

using namespace limoe;
using namespace limoe::testing;

TEST_CASE("slice: gradient, f32, views, threads and memory along every axis, whole and empty") {
  const auto check = [](const Shape& shape, int axis, int64_t begin, int64_t end) {
    check_op({"slice", {normal(shape)}, [=](const Vars& in) { return slice(in[0], axis, begin, end); }});
  };
  check({4, 3, 5}, 0, 1, 3);
  check({4, 3, 5}, 1, 2, 3);
  check({4, 3, 5}, -1, 0, 4);
  check({3, 2}, 0, 0, 3);
  check({3, 2}, 1, 1, 1);
  check({0, 2}, 1, 0, 1);
}

TEST_CASE("slice: a device agrees along every axis, whole and empty") {
  const auto check = [](const Shape& shape, int axis, int64_t begin, int64_t end) {
    check_device({"slice", {normal(shape)}, [=](const Vars& in) { return slice(in[0], axis, begin, end); }});
  };
  check({4, 3, 5}, 0, 1, 3);
  check({4, 3, 5}, 1, 2, 3);
  check({4, 3, 32}, -1, 16, 32);
  check({3, 2}, 1, 1, 1);
}

TEST_CASE("slice: by hand, as a view; a range that is not there is refused by name") {
  const Tensor x = from_vector<float>({2, 2}, {1, 2, 3, 4});
  const Tensor y = slice(Var(x), 1, 1, 2).value();
  CHECK(y.shares_memory_with(x));
  CHECK_SAME_BITS(y, from_vector<float>({2, 1}, {2, 4}));
  CHECK_SAME_BITS(slice_backward({2, 2}, 1, 1, y), from_vector<float>({2, 2}, {0, 2, 0, 4}));
  CHECK_THROWS_WITH_AS(slice(Var(x), 1, 1, 3),
                       "slice: [1, 3) was asked of axis 1 of [2, 2]; expected 0 <= begin <= end <= 2",
                       ShapeError);
}
