#include "ops/add.h"

#include <doctest/doctest.h>

#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/op_case.h"

using namespace limoe;
using namespace limoe::testing;

namespace {

OpCase add_case(const Shape& shape) {
  return {"add", {normal(shape, 1), normal(shape, 2)}, [](const Vars& in) { return add(in[0], in[1]); }};
}

}  // namespace

TEST_CASE("add: gradient, f32, views, threads and memory on odd shapes") {
  for (const Shape& shape : {Shape{}, Shape{0, 3}, Shape{1, 31}, Shape{3, 33}, Shape{2, 3, 5}})
    check_op(add_case(shape));
}

TEST_CASE("add: a device agrees on odd shapes and on whole packs") {
  for (const Shape& shape : {Shape{}, Shape{0, 3}, Shape{1, 31}, Shape{3, 33}, Shape{4, 64}})
    check_device(add_case(shape));
}

TEST_CASE("add: shapes and dtypes that differ are refused by name") {
  CHECK_THROWS_WITH_AS(add_forward(zeros({2, 3}), zeros({3})),
                       "add: b is [3]; expected [2, 3] because a is that", ShapeError);
  CHECK_THROWS_WITH_AS(add_forward(zeros({2}), zeros({2}, DType::f64)), "add: b is f64; expected f32 like a",
                       DTypeError);
}
