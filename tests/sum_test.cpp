#include "ops/sum.h"

#include <doctest/doctest.h>

#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/op_case.h"

using namespace limoe;
using namespace limoe::testing;

TEST_CASE("sum: gradient, f32, views, threads and memory on odd shapes") {
  for (const Shape& shape : {Shape{}, Shape{0, 3}, Shape{1}, Shape{1, 31}, Shape{3, 33}})
    check_op({"sum", {normal(shape)}, [](const Vars& in) { return sum(in[0]); }, shape.element_count()});
}

TEST_CASE("sum: a device agrees on one block, many blocks and nothing") {
  for (const Shape& shape : {Shape{}, Shape{0, 3}, Shape{1, 31}, Shape{3, 33}, Shape{5, 4096}})
    check_device({"sum", {uniform(shape, 0, 1)}, [](const Vars& in) { return sum(in[0]); }});
}

TEST_CASE("sum: many runs of elements have the same bits on any number of threads; nothing sums to zero") {
  CHECK(threads_agree({"sum", {normal({300, 1001})}, [](const Vars& in) { return sum(in[0]); }}).ok);
  CHECK(item(sum_forward(from_vector<float>({2, 2}, {1, 2, 3, 4}))) == 10.0);
  CHECK(item(sum_forward(full({1 << 20}, 1))) == double(1 << 20));
  CHECK(item(sum_forward(zeros({0, 3}))) == 0.0);
  CHECK_THROWS_WITH_AS(sum_forward(zeros({2}, DType::i32)), "sum: x is i32; expected a floating dtype",
                       DTypeError);
}
