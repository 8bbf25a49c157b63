#include "ops/scale.h"

#include <doctest/doctest.h>

#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/op_case.h"

using namespace limoe;
using namespace limoe::testing;

TEST_CASE("scale: gradient, f32, views, threads and memory on odd shapes") {
  for (const Shape& shape : {Shape{}, Shape{0, 3}, Shape{1, 31}, Shape{3, 33}, Shape{300, 257}}) {
    const OpCase op_case{"scale", {normal(shape)}, [](const Vars& in) { return scale(in[0], -2.5); }};
    if (shape.element_count() < 1000)
      check_op(op_case);
    else
      CHECK(threads_agree(op_case).ok);
  }
}

TEST_CASE("scale: a device agrees on odd shapes and on whole packs") {
  for (const Shape& shape : {Shape{}, Shape{0, 3}, Shape{1, 31}, Shape{3, 33}, Shape{4, 64}})
    check_device({"scale", {normal(shape)}, [](const Vars& in) { return scale(in[0], -2.5); }});
}

TEST_CASE("scale: by hand; an integer tensor is refused by name") {
  CHECK_SAME_BITS(scale_forward(from_vector<float>({2}, {1, -4}), 0.5), from_vector<float>({2}, {0.5, -2}));
  CHECK_THROWS_WITH_AS(scale_forward(zeros({2}, DType::i32), 2), "scale: x is i32; expected a floating dtype",
                       DTypeError);
}
