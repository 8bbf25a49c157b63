#include "ops/add_layer_norm.h"

#include <doctest/doctest.h>

#include "ops/add.h"
#include "ops/mul.h"
#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/op_case.h"

using namespace limoe;
using namespace limoe::testing;

namespace {

// Which of the two outputs the result is made of.
enum class Used { both, sum, y };

OpCase add_layer_norm_case(const Shape& shape, Used used = Used::both) {
  const Shape row{shape[-1]};
  return {"add_layer_norm",
          {normal(shape, 1), normal(shape, 4), normal(row, 2), normal(row, 3)},
          [used](const Vars& in) {
            const std::vector<Var> out = add_layer_norm(in[0], in[1], in[2], in[3]);
            return used == Used::sum ? out[0] : used == Used::y ? out[1] : mul(out[0], out[1]);
          },
          shape.element_count()};
}

}  // namespace

TEST_CASE("add_layer_norm: gradient, f32, views, threads and memory, by both outputs and by one") {
  for (const Shape& shape : {Shape{0, 3}, Shape{5}, Shape{3, 31}, Shape{2, 2, 33}})
    check_op(add_layer_norm_case(shape));
  check_op(add_layer_norm_case({2, 5}, Used::y));
  check_op(add_layer_norm_case({2, 5}, Used::sum));
}

TEST_CASE("add_layer_norm: the same bits as add and layer_norm after each other") {
  const Tensor x = normal({4, 9}, 1), addend = normal({4, 9}, 2), scale = normal({9}, 3),
               bias = normal({9}, 4);
  const AddLayerNormOutput fused = add_layer_norm_forward(x, addend, scale, bias, 1e-6);
  CHECK_SAME_BITS(fused.sum, add_forward(x, addend));
  CHECK_SAME_BITS(fused.norm.y, layer_norm_forward(fused.sum, scale, bias, 1e-6).y);
}

TEST_CASE("add_layer_norm: a device agrees on rows in registers, on wide and odd ones") {
  for (const Shape& shape : {Shape{0, 3}, Shape{5}, Shape{3, 31}, Shape{2, 2, 33}, Shape{5, 64},
                             Shape{3, 197}, Shape{3, 768}, Shape{2, 1288}, Shape{70, 40}})
    check_device(add_layer_norm_case(shape));
  check_device(add_layer_norm_case({3, 64}, Used::y));
  check_device(add_layer_norm_case({3, 64}, Used::sum));
}

TEST_CASE("add_layer_norm: an addend of another shape or dtype is refused by name") {
  const Tensor x = zeros({2, 4}), row = zeros({4});
  CHECK_THROWS_WITH_AS(add_layer_norm_forward(x, zeros({4}), row, row, 1e-6),
                       "add_layer_norm: addend is [4]; expected [2, 4] because x is that", ShapeError);
  CHECK_THROWS_WITH_AS(add_layer_norm_forward(x, zeros({2, 4}, DType::f64), row, row, 1e-6),
                       "add_layer_norm: addend is f64; expected f32 like x", DTypeError);
}
