#include "ops/linear.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>

#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/golden_op.h"
#include "tests/support/op_case.h"

using namespace limoe;
using namespace limoe::testing;

TEST_CASE("linear: gradient, f32, views, threads and memory on odd shapes, with a bias and without") {
  for (const Shape& shape : {Shape{5, 7}, Shape{1, 3}, Shape{7}, Shape{2, 3, 5}, Shape{0, 4}, Shape{3, 0}})
    for (const int64_t columns : {1, 6, 33}) {
      const Tensor x = normal(shape, 1), kernel = normal({shape[-1], columns}, 2),
                   bias = normal({columns}, 3);
      check_op({"linear", {x, kernel, bias}, [](const Vars& in) { return linear(in[0], in[1], in[2]); }});
      check_op({"linear", {x, kernel}, [](const Vars& in) { return linear(in[0], in[1]); }});
    }
}

TEST_CASE("linear: a device agrees on odd shapes, with a bias and without") {
  const auto check = [](const Shape& shape, int64_t columns) {
    const Tensor x = normal(shape, 1), kernel = normal({shape[-1], columns}, 2), bias = normal({columns}, 3);
    check_device({"linear", {x, kernel, bias}, [](const Vars& in) { return linear(in[0], in[1], in[2]); }});
  };
  for (const int64_t size : {1, 31, 32, 33, 63, 64, 65, 127, 128, 129, 196, 197, 257, 577}) {
    check({size, 3}, 5);
    check({3, size}, 5);
    check({3, 5}, size);
  }
  for (const Shape& shape : {Shape{7}, Shape{2, 3, 8}, Shape{0, 4}, Shape{3, 0}, Shape{1100, 24}})
    check(shape, 16);
  const Tensor x = normal({66, 40}, 1), kernel = normal({40, 72}, 2);
  check_device({"linear", {x, kernel}, [](const Vars& in) { return linear(in[0], in[1]); }});
}

TEST_CASE("linear: many rows have the same bits on any number of threads, and agree with f64") {
  for (const auto& [rows, width, columns] : {std::array<int64_t, 3>{1500, 67, 93}, {300, 40, 257}}) {
    const OpCase op_case{
        "linear",
        {normal({rows, width}, 1, 0.25), normal({width, columns}, 2, 0.25), normal({columns}, 3)},
        [](const Vars& in) { return linear(in[0], in[1], in[2]); },
        rows};
    for (const Comparison& result : {threads_agree(op_case), f32_agrees(op_case)})
      CHECK_MESSAGE(result.ok, result.message);
  }
}

TEST_CASE("linear: frozen inputs get no gradient and stop none") {
  for (int wanted = 0; wanted < 3; ++wanted) {
    std::vector<bool> differentiable(3, false);
    differentiable[size_t(wanted)] = true;
    const OpCase op_case{"linear",
                         {normal({3, 4}, 1), normal({4, 2}, 2), normal({2}, 3)},
                         [](const Vars& in) { return linear(in[0], in[1], in[2]); },
                         64,
                         differentiable};
    CHECK(gradcheck(op_case).ok);
  }
}

TEST_CASE("linear: an affine map worked out by hand; NaN reaches its own row alone") {
  const Tensor x = from_vector<double>({2, 2}, {1, 2, NAN, 0}), kernel = from_vector<double>({2, 1}, {3, 4});
  const std::vector<double> y = to_vector<double>(linear_forward(x, kernel, full({1}, 5, DType::f64)));
  CHECK(y[0] == 16.0);
  CHECK(std::isnan(y[1]));
}

TEST_CASE("linear: sizes and dtypes that do not fit are refused by name") {
  CHECK_THROWS_WITH_AS(linear_forward(zeros({2, 4}), zeros({5, 3}), {}),
                       "linear: kernel is [5, 3]; expected size 4 on axis 0 because x is [2, 4]", ShapeError);
  CHECK_THROWS_WITH_AS(linear_forward(zeros({2, 4}), zeros({4, 3}), zeros({4})),
                       "linear: bias is [4]; expected [3] because kernel is [4, 3]", ShapeError);
  CHECK_THROWS_WITH_AS(linear_forward(zeros({2, 4}), zeros({4, 3}, DType::f64), {}),
                       "linear: kernel is f64; expected f32 like x", DTypeError);
  CHECK_THROWS_WITH_AS(linear_forward(zeros({2, 4}, DType::i32), zeros({4, 3}), {}),
                       "linear: x is i32; expected a floating dtype", DTypeError);
  CHECK_THROWS_WITH_AS(linear(Var(zeros({2, 4})), Var(zeros({4, 3})), Var()),
                       "linear: bias is undefined; expected [M], or no bias argument", ValueError);
}

TEST_CASE("linear: without a bias it is the product that PyTorch gives, gradients included") {
  for (const char* name : {"matmul.2d", "matmul.one_row", "matmul.odd"})
    check_golden(name, {"a", "b"}, [](const Vars& in) { return linear(in[0], in[1]); });
}
