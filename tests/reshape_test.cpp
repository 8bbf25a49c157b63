#include "ops/reshape.h"

#include <doctest/doctest.h>

#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/op_case.h"

using namespace limoe;
using namespace limoe::testing;

TEST_CASE("reshape: gradient, f32, views, threads and memory on odd shapes") {
  const auto check = [](const Shape& from, const Shape& to) {
    check_op({"reshape", {normal(from)}, [to](const Vars& in) { return reshape(in[0], to); }});
  };
  check({2, 3, 5}, {5, 6});
  check({1}, {});
  check({0, 3}, {7, 0});
}

TEST_CASE(
    "reshape: shares the memory of a contiguous tensor, and refuses another number of elements by name") {
  const Tensor x = zeros({2, 3});
  CHECK(reshape(Var(x), {6}).value().shares_memory_with(x));
  CHECK_THROWS_WITH_AS(reshape(Var(x), {4}),
                       "reshape: the new shape [4] has 4 elements; expected 6 because the tensor is [2, 3]",
                       ShapeError);
}
