#include "ops/matmul.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>

#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/golden_op.h"
#include "tests/support/op_case.h"

using namespace limoe;
using namespace limoe::testing;

TEST_CASE("matmul: gradient, f32, views, threads and memory on odd sizes, one row, and nothing at all") {
  const auto run = [](const Vars& in) { return matmul(in[0], in[1]); };
  for (const auto& [m, k, n] : {std::array<int64_t, 3>{5, 7, 3},
                                {1, 17, 9},
                                {19, 33, 13},
                                {3, 1, 31},
                                {2, 32, 1},
                                {0, 3, 2},
                                {2, 0, 3},
                                {2, 3, 0}})
    check_op({"matmul", {normal({m, k}, 1), normal({k, n}, 2)}, run, std::max(k, n)});
}

TEST_CASE("batched_matmul: gradient, f32, views, threads and memory, with one and two leading axes") {
  const auto run = [](const Vars& in) { return batched_matmul(in[0], in[1]); };
  check_op({"batched_matmul", {normal({2, 3, 4}, 1), normal({2, 4, 5}, 2)}, run});
  check_op({"batched_matmul", {normal({2, 3, 1, 5}, 1), normal({2, 3, 5, 2}, 2)}, run});
  check_op({"batched_matmul", {normal({0, 3, 4}, 1), normal({0, 4, 5}, 2)}, run});
}

TEST_CASE("matmul and batched_matmul: a device agrees on odd sizes and on nothing at all") {
  const auto run = [](const Vars& in) { return matmul(in[0], in[1]); };
  for (const auto& [m, k, n] : {std::array<int64_t, 3>{1, 1, 1},
                                {65, 33, 129},
                                {16, 64, 8},
                                {0, 3, 2},
                                {2, 0, 3},
                                {2, 3, 0},
                                {7, 1030, 5}})
    check_device({"matmul", {normal({m, k}, 1), normal({k, n}, 2)}, run});
  const auto batched = [](const Vars& in) { return batched_matmul(in[0], in[1]); };
  check_device({"batched_matmul", {normal({2, 3, 17, 8}, 1), normal({2, 3, 8, 24}, 2)}, batched});
  check_device({"batched_matmul", {normal({3, 5, 7}, 1), normal({3, 7, 9}, 2)}, batched});
  check_device({"batched_matmul", {normal({0, 5, 7}, 1), normal({0, 7, 9}, 2)}, batched});
}

TEST_CASE("matmul: large products have the same bits on any number of threads, whichever way they are cut") {
  const auto run = [](const Vars& in) { return matmul(in[0], in[1]); };
  for (const auto& [m, k, n] : {std::array<int64_t, 3>{500, 65, 129}, {65, 129, 600}, {33, 2100, 47}}) {
    const OpCase op_case{
        "matmul", {normal({m, k}, 1, 0.25), normal({k, n}, 2, 0.25)}, run, std::max(k, std::max(m, n))};
    for (const Comparison& result : {threads_agree(op_case), f32_agrees(op_case)})
      CHECK_MESSAGE(result.ok, result.message);
  }
}

TEST_CASE("matmul: a product worked out by hand, and NaN that reaches its row alone") {
  const Tensor a = from_vector<double>({2, 2}, {1, 2, NAN, 4}), b = from_vector<double>({2, 2}, {5, 6, 7, 8});
  const std::vector<double> c = to_vector<double>(matmul_forward(a, b));
  CHECK(c[0] == 19.0);
  CHECK(c[1] == 22.0);
  CHECK(std::isnan(c[2]));
  CHECK(std::isnan(c[3]));
}

TEST_CASE("matmul: sizes and dtypes that do not fit are refused by name") {
  CHECK_THROWS_WITH_AS(matmul_forward(zeros({2, 4}), zeros({5, 3})),
                       "matmul: b is [5, 3]; expected [4, 3] because a is [2, 4]", ShapeError);
  CHECK_THROWS_WITH_AS(matmul_forward(zeros({2, 2, 4}), zeros({3, 4, 3})),
                       "matmul: b is [3, 4, 3]; expected [2, 4, 3] because a is [2, 2, 4]", ShapeError);
  CHECK_THROWS_WITH_AS(matmul_forward(zeros({2, 4}), zeros({4})), "matmul: b is [4]; expected rank 2",
                       ShapeError);
  CHECK_THROWS_WITH_AS(matmul_forward(zeros({2, 4}), zeros({4, 3}, DType::f64)),
                       "matmul: b is f64; expected f32 like a", DTypeError);
  CHECK_THROWS_WITH_AS(matmul(Var(zeros({2, 2, 4})), Var(zeros({2, 4, 3}))),
                       "matmul: a is [2, 2, 4]; expected rank 2", ShapeError);
}

TEST_CASE("matmul: agrees with PyTorch, gradients included") {
  for (const char* name : {"matmul.2d", "matmul.one_row", "matmul.odd"})
    check_golden(name, {"a", "b"}, [](const Vars& in) { return matmul(in[0], in[1]); });
  check_golden("matmul.batched", {"a", "b"}, [](const Vars& in) { return batched_matmul(in[0], in[1]); });
}
