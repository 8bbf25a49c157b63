#include "ops/concat.h"

#include <doctest/doctest.h>

#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/op_case.h"

using namespace limoe;
using namespace limoe::testing;

TEST_CASE("concat: gradient, f32, views, threads and memory along every axis, one part and empty ones") {
  const auto check = [](std::vector<Tensor> parts, int axis) {
    check_op({"concat", std::move(parts), [axis](const Vars& in) { return concat(in, axis); }});
  };
  check({normal({2, 3}, 1), normal({4, 3}, 2)}, 0);
  check({normal({2, 3, 2}, 1), normal({2, 1, 2}, 2), normal({2, 0, 2}, 3)}, 1);
  check({normal({2, 3}, 1), normal({2, 1}, 2)}, -1);
  check({normal({3, 2})}, 0);
  check({normal({0, 2}, 1), normal({0, 2}, 2)}, 0);
}

TEST_CASE("concat: a device agrees along every axis, one part and empty ones") {
  const auto check = [](std::vector<Tensor> parts, int axis) {
    check_device({"concat", std::move(parts), [axis](const Vars& in) { return concat(in, axis); }});
  };
  check({normal({2, 3}, 1), normal({4, 3}, 2)}, 0);
  check({normal({2, 3, 2}, 1), normal({2, 1, 2}, 2), normal({2, 0, 2}, 3)}, 1);
  check({normal({2, 3}, 1), normal({2, 1}, 2)}, -1);
  check({normal({5, 16}, 1), normal({5, 32}, 2)}, -1);
  check({normal({0, 2}, 1), normal({0, 2}, 2)}, 0);
}

TEST_CASE("concat: by hand, integers too; parts that do not fit are refused by name") {
  const Tensor a = from_vector<int32_t>({2, 1}, {1, 2}), b = from_vector<int32_t>({2, 2}, {3, 4, 5, 6});
  CHECK_SAME_BITS(concat_forward({a, b}, 1), from_vector<int32_t>({2, 3}, {1, 3, 4, 2, 5, 6}));
  CHECK_THROWS_WITH_AS(concat_forward({a, b}, 0),
                       "concat: parts[1] is [2, 2]; expected [2, 1] because parts[0] is [2, 1]", ShapeError);
  CHECK_THROWS_WITH_AS(concat_forward({a, zeros({2, 1})}, 0),
                       "concat: parts[1] is f32; expected i32 like parts[0]", DTypeError);
  CHECK_THROWS_WITH_AS(concat_forward({}, 0), "concat: parts is empty; expected one tensor or more",
                       ValueError);
}
