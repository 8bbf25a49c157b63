#include "ops/add_positions.h"

#include <doctest/doctest.h>

#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/op_case.h"

using namespace limoe;
using namespace limoe::testing;

namespace {

OpCase add_positions_case(const Shape& shape) {
  return {"add_positions",
          {normal(shape, 1), normal({shape[1], shape[2]}, 2)},
          [](const Vars& in) { return add_positions(in[0], in[1]); },
          shape[0]};
}

}  // namespace

TEST_CASE("add_positions: gradient, f32, views, threads and memory on odd shapes") {
  for (const Shape& shape : {Shape{3, 4, 5}, Shape{1, 1, 1}, Shape{2, 3, 33}, Shape{0, 2, 3}, Shape{2, 0, 3}})
    check_op(add_positions_case(shape));
}

TEST_CASE("add_positions: a device agrees on odd shapes and on whole packs") {
  for (const Shape& shape : {Shape{3, 4, 5}, Shape{1, 1, 1}, Shape{2, 3, 33}, Shape{0, 2, 3}, Shape{2, 0, 3},
                             Shape{67, 2, 8}, Shape{130, 1, 40}})
    check_device(add_positions_case(shape));
}

TEST_CASE("add_positions: a thousand sequences have the same bits on any number of threads") {
  CHECK(threads_agree(add_positions_case({1000, 7, 33})).ok);
}

TEST_CASE("add_positions: every sequence gets the same positions") {
  const Tensor x = from_vector<float>({2, 1, 2}, {1, 2, 3, 4}),
               positions = from_vector<float>({1, 2}, {10, 20});
  CHECK_SAME_BITS(add_positions_forward(x, positions), from_vector<float>({2, 1, 2}, {11, 22, 13, 24}));
  CHECK_SAME_BITS(add_positions_backward(x), from_vector<float>({1, 2}, {4, 6}));
}

TEST_CASE("add_positions: positions of another length are refused by name") {
  CHECK_THROWS_WITH_AS(add_positions_forward(zeros({2, 3, 4}), zeros({5, 4})),
                       "add_positions: positions is [5, 4]; expected [3, 4] because x is [2, 3, 4]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(add_positions_forward(zeros({3, 4}), zeros({3, 4})),
                       "add_positions: x is [3, 4]; expected rank 3", ShapeError);
}
