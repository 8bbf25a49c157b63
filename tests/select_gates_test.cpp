#include "ops/select_gates.h"

#include <doctest/doctest.h>

#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/op_case.h"

using namespace limoe;
using namespace limoe::testing;

TEST_CASE("select_gates: gradient, f32, views, threads and memory") {
  const auto check = [](const Shape& probs, const Tensor& expert_of) {
    check_op(
        {"select_gates", {normal(probs)}, [=](const Vars& in) { return select_gates(in[0], expert_of); }});
  };
  check({0, 3}, zeros({0, 2}, DType::i32));
  check({1, 1}, zeros({1, 1}, DType::i32));
  check({3, 4}, from_vector<int32_t>({3, 2}, {2, 0, -1, -1, 3, 1}));
}

TEST_CASE("select_gates: a device agrees on odd numbers of tokens and experts") {
  for (const int64_t tokens : {0, 1, 31, 65, 129})
    for (const int64_t experts : {1, 7, 33}) {
      std::vector<int32_t> chosen(size_t(tokens) * 2);
      for (size_t i = 0; i < chosen.size(); ++i) chosen[i] = int32_t(i * i % size_t(experts + 1)) - 1;
      const Tensor expert_of = from_vector<int32_t>({tokens, 2}, chosen);
      check_device({"select_gates", {normal({tokens, experts})}, [=](const Vars& in) {
                      return select_gates(in[0], beside(in[0], expert_of));
                    }});
    }
}

TEST_CASE("select_gates: picks by token and choice, 0 for a token that is not routed") {
  const Tensor probs = from_vector<double>({3, 3}, {.4, 0, .2, .5, .1, .4, .3, .2, .6});
  const Tensor expert_of = from_vector<int32_t>({3, 2}, {0, 2, -1, -1, 2, 0});
  CHECK(to_vector<double>(select_gates_forward(probs, expert_of)) ==
        std::vector<double>{.4, .2, 0, 0, .6, .3});
  const Tensor dy = from_vector<double>({3, 2}, {1, 2, 3, 4, 5, 6});
  CHECK(to_vector<double>(select_gates_backward(expert_of, 3, dy)) ==
        std::vector<double>{1, 0, 2, 0, 0, 0, 6, 0, 5});
}

TEST_CASE("select_gates: an expert that is not there is refused by place") {
  CHECK_THROWS_WITH_AS(select_gates_forward(zeros({2, 3}), from_vector<int32_t>({2, 2}, {0, 1, 2, 3})),
                       "select_gates: expert_of holds 3 at [1, 1]; expected -1..2", ValueError);
  CHECK_THROWS_AS(select_gates_forward(zeros({2, 3}), zeros({3, 1}, DType::i32)), ShapeError);
  CHECK_THROWS_AS(select_gates_forward(zeros({2, 3}), zeros({2, 1})), DTypeError);
}
