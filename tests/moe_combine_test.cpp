#include "ops/moe_combine.h"

#include <doctest/doctest.h>

#include "autograd/backward.h"
#include "ops/grouped_linear.h"
#include "ops/linear.h"
#include "ops/moe_dispatch.h"
#include "ops/reshape.h"
#include "ops/select_gates.h"
#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/device.h"
#include "tests/support/op_case.h"
#include "tests/support/routing_fixture.h"

using namespace limoe;
using namespace limoe::testing;

namespace {

Tensor numbers(const Shape& shape, double first, double step) {
  std::vector<double> values(shape.element_count());
  for (size_t i = 0; i < values.size(); ++i) values[i] = first + step * double(i);
  return from_vector<double>(shape, values);
}

// A routing written down by hand: capacity is unlimited, so every choice gets its place.
Routing routing_of(const std::vector<int32_t>& expert_of, int64_t choices, int64_t experts) {
  const int64_t tokens = int64_t(expert_of.size()) / choices;
  std::vector<double> wishes(tokens * experts);
  for (size_t choice = 0; choice < expert_of.size(); ++choice)
    wishes[choice / choices * experts + expert_of[choice]] = double(choices - choice % choices);
  return moe_route(from_vector<double>({tokens, experts}, wishes), one_group(tokens), 1,
                   {choices, 0, CapacityRounding::ceil, 1, false});
}

}  // namespace

TEST_CASE("moe_combine: gradient, f32, views, threads and memory, with drops and padding") {
  for (const int64_t tokens : {0, 1, 13})
    for (const int64_t choices : {1, 2}) {
      const Routing routing =
          moe_route(normal({tokens, 3}), from_vector<int32_t>({tokens}, groups_of_three(tokens)), 3,
                    {choices, 0.6, CapacityRounding::ceil, 1, true});
      check_op({"moe_combine",
                {normal({tokens * choices, 5}), uniform({tokens, choices}, 0, 1)},
                [=](const Vars& in) { return moe_combine(in[0], in[1], routing); }});
    }
}

TEST_CASE("moe_combine: a device agrees on odd shapes, with drops and padding") {
  for (const int64_t tokens : {0, 1, 33, 65})
    for (const int64_t width : {1, 31, 64, 129})
      for (const int64_t choices : {1, 2}) {
        const Routing routing =
            moe_route(normal({tokens, 3}), from_vector<int32_t>({tokens}, groups_of_three(tokens)), 3,
                      {choices, 0.6, CapacityRounding::ceil, 1, true});
        check_device({"moe_combine",
                      {normal({tokens * choices, width}), uniform({tokens, choices}, 0, 1)},
                      [=](const Vars& in) { return moe_combine(in[0], in[1], beside(in[0], routing)); }});
      }
}

TEST_CASE("moe_combine: on a device gates in f32 weigh rows in bf16, and get their gradient in f32") {
  if (!device_under_test()) return;
  const Device device = *device_under_test();
  const Routing routing = moe_route(normal({33, 3}), one_group(33), 1, {2, 0.6});
  const Tensor rows = to_dtype(normal({66, 40}, 1), DType::bf16),
               dy = to_dtype(normal({33, 40}, 2), DType::bf16);
  const Tensor gates = to_dtype(uniform({33, 2}, 0, 1, 3), DType::f32);
  const Var at = Var(to_device(rows, device));
  const Routing there = beside(at, routing);
  const auto f64 = [](const Tensor& tensor) { return to_dtype(tensor, DType::f64); };
  const auto check = [](const Tensor& got, const Tensor& wanted, double allowed) {
    const Comparison result = close_in_mean(got, wanted, allowed);
    CHECK_MESSAGE(result.ok, result.message);
  };
  check(moe_combine_forward(at.value(), beside(at, gates), there),
        moe_combine_forward(f64(rows), f64(gates), routing), tolerance::kDeviceNmseBf16);
  check(moe_combine_backward_rows(beside(at, gates), there, beside(at, dy)),
        moe_combine_backward_rows(f64(gates), routing, f64(dy)), tolerance::kDeviceNmseBf16);
  const Tensor dgates = moe_combine_backward_gates(at.value(), there, beside(at, dy), DType::f32);
  CHECK(dgates.dtype() == DType::f32);
  check(dgates, moe_combine_backward_gates(f64(rows), routing, f64(dy), DType::f64),
        tolerance::kDeviceNmseF32);
}

TEST_CASE("moe_combine: identity experts give every token the sum of its kept gates times itself") {
  // The public dispatcher example: two groups of three tokens 1..6, E = 2, capacity 2 a group, in its
  // indices form. The (expert, slot) pairs are written as rows of the packed buffer of eight rows, of
  // which expert 0 holds tokens 2, 3 | 4, 5 and expert 1 tokens 1, 3 | 6, 4.
  Routing routing;
  routing.expert_of = from_vector<int32_t>({6, 2}, {1, -1, 0, -1, 1, 0, 0, 1, 0, -1, 1, -1});
  routing.row_of = from_vector<int32_t>({6, 2}, {4, -1, 0, -1, 5, 1, 2, 7, 3, -1, 6, -1});
  routing.choice_of = from_vector<int32_t>({12}, {2, 5, 6, 8, 0, 4, 10, 7, -1, -1, -1, -1});
  routing.row_begin = from_vector<int32_t>({3}, {0, 4, 8});
  const Tensor rows = moe_dispatch_forward(numbers({6, 1}, 1, 1), routing);
  CHECK(to_vector<double>(rows) == std::vector<double>{2, 3, 4, 5, 1, 3, 6, 4, 0, 0, 0, 0});
  const Tensor gates = from_vector<double>({6, 2}, {.7, 0, .7, 0, .3, .7, .7, .3, .7, 0, .3, 0});
  CHECK_CLOSE(moe_combine_forward(rows, gates, routing),
              from_vector<double>({6, 1}, {.7, 1.4, 3.0, 4.0, 3.5, 1.8}), tolerance::kGoldenF64);
}

TEST_CASE("moe_combine: experts that add their number give the weighted sum of both choices") {
  const int64_t tokens = 6, experts = 4;
  std::vector<int32_t> expert_of;
  std::vector<double> wanted;
  for (int32_t token = 0; token < tokens; ++token) {
    const int32_t first = 2 * token % 4, second = (2 * token + 1) % 4;
    expert_of.insert(expert_of.end(), {first, second});
    wanted.push_back(10 * (token + 1) + .7 * (1 + first) + .3 * (1 + second));
  }
  const Routing routing = routing_of(expert_of, 2, experts);
  CHECK(to_vector<int32_t>(routing.expert_of) == expert_of);
  Tensor gates = empty({tokens, 2}, DType::f64);
  for (int64_t i = 0; i < tokens * 2; ++i) gates.mutable_data<double>()[i] = i % 2 ? .3 : .7;
  const Tensor rows = grouped_linear_forward(moe_dispatch_forward(numbers({tokens, 1}, 10, 10), routing),
                                             full({experts, 1, 1}, 1, DType::f64),
                                             numbers({experts, 1}, 1, 1), routing.row_begin);
  CHECK_CLOSE(moe_combine_forward(rows, gates, routing), from_vector<double>({tokens, 1}, wanted),
              tolerance::kGoldenF64);
}

TEST_CASE("moe_combine: one expert of unlimited capacity with gate 1 is the dense layer, gradients too") {
  const std::vector<Tensor> inputs{normal({19, 6}, 1), normal({6, 9}, 2), normal({9}, 3)};
  const Routing routing =
      moe_route(full({19, 1}, 1, DType::f64), one_group(19), 1, {1, 0, CapacityRounding::ceil, 1, true});
  const auto run = [&](bool sparse) {
    Vars in;
    for (const Tensor& input : inputs) in.push_back(leaf(input));
    Var y;
    if (sparse) {
      const Var kernel = reshape(in[1], {1, 6, 9}), bias = reshape(in[2], {1, 9});
      const Var rows = grouped_linear(moe_dispatch(in[0], routing), kernel, bias, routing.row_begin);
      y = moe_combine(rows, Var(full({19, 1}, 1, DType::f64)), routing);
    } else {
      y = linear(in[0], in[1], in[2]);
    }
    backward({{y, normal({19, 9}, 4)}});
    return std::vector<Tensor>{y.value(), in[0].gradient(), in[1].gradient(), in[2].gradient()};
  };
  const std::vector<Tensor> sparse = run(true), dense = run(false);
  for (size_t i = 0; i < dense.size(); ++i) CHECK_CLOSE(sparse[i], dense[i], tolerance::kGoldenF64);
}

TEST_CASE("moe_combine: the order in which tokens queue does not matter while nothing is dropped") {
  const Tensor probs = normal({40, 4}, 1), x = normal({40, 6}, 2), kernel = normal({4, 6, 5}, 3);
  const auto run = [&](bool priority) {
    const Routing routing = moe_route(probs, one_group(40), 1, {2, 0, CapacityRounding::ceil, 1, priority});
    const Tensor rows = grouped_linear_forward(moe_dispatch_forward(x, routing), kernel, normal({4, 5}, 4),
                                               routing.row_begin);
    return moe_combine_forward(rows, select_gates_forward(probs, routing.expert_of), routing);
  };
  CHECK_CLOSE(run(true), run(false), tolerance::kGoldenF64);
}

TEST_CASE("moe_combine: a token without a kept choice gets zero, and its gate no gradient") {
  const Tensor probs = from_vector<double>({3, 2}, {1, 0, .9, .1, .8, .2});
  const Routing routing = moe_route(probs, one_group(3), 1, {1, 0.5, CapacityRounding::ceil, 1, true});
  const Tensor rows = moe_dispatch_forward(full({3, 2}, 1, DType::f64), routing);
  const Tensor gates = select_gates_forward(probs, routing.expert_of), dy = full({3, 2}, 1, DType::f64);
  CHECK(to_vector<double>(moe_combine_forward(rows, gates, routing)) ==
        std::vector<double>{1, 1, 0, 0, 0, 0});
  CHECK(to_vector<double>(moe_combine_backward_gates(rows, routing, dy, DType::f64)) ==
        std::vector<double>{2, 0, 0});
  CHECK(to_vector<double>(moe_combine_backward_rows(gates, routing, dy)) ==
        std::vector<double>{1, 1, 0, 0, 0, 0});
}

TEST_CASE("moe_combine: sizes that do not fit are refused by name") {
  const Routing routing = moe_route(zeros({4, 2}), one_group(4), 1, {2});
  CHECK_THROWS_WITH_AS(moe_combine_forward(zeros({7, 3}), zeros({4, 2}), routing),
                       "moe_combine: rows is [7, 3]; expected size 8 on axis 0 because gates is [4, 2]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(moe_combine_forward(zeros({8, 3}), zeros({4, 1}), routing),
                       "moe_combine: gates is [4, 1]; expected [4, 2] because routing.row_of is that",
                       ShapeError);
  CHECK_THROWS_AS(moe_combine_forward(zeros({8, 3}), zeros({4, 2}, DType::f64), routing), DTypeError);
}
