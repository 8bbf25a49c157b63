#include "ops/moe_mlp.h"

#include <doctest/doctest.h>

#include "autograd/backward.h"
#include "ops/mlp.h"
#include "ops/mlp_blocks.h"
#include "ops/moe_combine.h"
#include "ops/moe_dispatch.h"
#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/op_case.h"
#include "tests/support/routing_fixture.h"

using namespace limoe;
using namespace limoe::testing;

namespace {

constexpr int64_t kExperts = 3;

struct Sizes {
  int64_t tokens, choices, inputs, hidden, outputs;
};

Routing routing_of(const Sizes& sizes, double capacity_factor = 0.6) {
  return moe_route(normal({sizes.tokens, kExperts}),
                   from_vector<int32_t>({sizes.tokens}, groups_of_three(sizes.tokens)), 3,
                   {sizes.choices, capacity_factor, CapacityRounding::ceil, 1, true});
}

// x, gates, up, up_bias, down, down_bias
std::vector<Tensor> inputs_of(const Sizes& of) {
  return {normal({of.tokens, of.inputs}, 1),
          uniform({of.tokens, of.choices}, 0, 1, 2),
          normal({kExperts, of.inputs, of.hidden}, 3),
          normal({kExperts, of.hidden}, 4),
          normal({kExperts, of.hidden, of.outputs}, 5),
          normal({kExperts, of.outputs}, 6)};
}

Var in_one(const Vars& in, const Routing& routing, MatmulPrecision precision = MatmulPrecision::fp32) {
  return moe_mlp(in[0], in[1], in[2], in[3], in[4], in[5], routing, precision);
}

Var by_three_ops(const Vars& in, const Routing& routing, MatmulPrecision precision = MatmulPrecision::fp32) {
  const Var rows = moe_dispatch(in[0], routing);
  return moe_combine(grouped_mlp(rows, in[2], in[3], in[4], in[5], routing.row_begin, precision), in[1],
                     routing);
}

OpCase moe_mlp_case(const Sizes& of) {
  const Routing routing = routing_of(of);
  return {"moe_mlp", inputs_of(of), [=](const Vars& in) { return in_one(in, beside(in[0], routing)); },
          std::max({of.tokens, of.inputs, of.hidden, of.outputs})};
}

using Run = Var (*)(const Vars&, const Routing&, MatmulPrecision);

// y and all gradients for a fixed dy.
std::vector<Tensor> results(Run run, const std::vector<Tensor>& inputs, const Routing& routing,
                            MatmulPrecision precision = MatmulPrecision::fp32) {
  Vars leaves;
  for (const Tensor& input : inputs) leaves.push_back(leaf(input));
  const Var y = run(leaves, routing, precision);
  backward({{y, to_dtype(normal(y.shape(), 9), y.dtype())}});
  std::vector<Tensor> all{y.value()};
  for (const Var& input : leaves) all.push_back(input.gradient());
  return all;
}

void check_same_bits(const std::vector<Tensor>& inputs, const Routing& routing,
                     MatmulPrecision precision = MatmulPrecision::fp32) {
  const std::vector<Tensor> got = results(in_one, inputs, routing, precision),
                            wanted = results(by_three_ops, inputs, routing, precision);
  for (size_t i = 0; i < wanted.size(); ++i) {
    CAPTURE(i);
    CHECK_SAME_BITS(got[i], wanted[i]);
  }
}

std::vector<Tensor> converted(std::vector<Tensor> inputs, DType dtype) {
  for (Tensor& input : inputs) input = to_dtype(input, dtype);
  return inputs;
}

// Whether it is one op or three.
std::string op_of(const Sizes& of) {
  Vars leaves;
  for (const Tensor& input : inputs_of(of)) leaves.push_back(leaf(input));
  return in_one(leaves, routing_of(of)).node()->op;
}

}  // namespace

TEST_CASE("moe_mlp: gradient, f32, views, threads and memory, with drops and padding") {
  for (const int64_t tokens : {0, 1, 13})
    for (const int64_t choices : {1, 2}) check_op(moe_mlp_case({tokens, choices, 5, 7, 3}));
}

TEST_CASE("moe_mlp: a device agrees, with drops and padding") {
  for (const int64_t choices : {1, 2}) check_device(moe_mlp_case({65, choices, 31, 40, 24}));
}

TEST_CASE("moe_mlp: one op for one choice and small kernels, three ops otherwise") {
  REQUIRE(mlp_fits_blocks({kExperts, 24, 40, 17}));
  REQUIRE_FALSE(mlp_fits_blocks({kExperts, 300, 300, 8}));
  CHECK(op_of({40, 1, 24, 40, 17}) == "moe_mlp");
  CHECK(op_of({40, 2, 24, 40, 17}) == "moe_combine");
  CHECK(op_of({40, 1, 300, 300, 8}) == "moe_combine");
}

TEST_CASE("moe_mlp: the bits of dispatch, experts and combine, in blocks, runs, and where kernels are wide") {
  for (const Sizes& of : {Sizes{700, 1, 24, 33, 17}, Sizes{9000, 1, 9, 20, 5}, Sizes{700, 2, 24, 33, 17},
                          Sizes{40, 1, 300, 300, 8}, Sizes{0, 1, 4, 5, 6}, Sizes{50, 1, 4, 5, 0}})
    for (const double capacity_factor : {0.0, 0.6}) {
      const Routing routing = routing_of(of, capacity_factor);
      CAPTURE(of.tokens);
      CAPTURE(capacity_factor);
      check_same_bits(inputs_of(of), routing);
      check_same_bits(converted(inputs_of(of), DType::f32), routing);
      check_same_bits(converted(inputs_of(of), DType::f32), routing, MatmulPrecision::bf16);
    }
}

TEST_CASE("moe_mlp: gates of 0 and below, and of NaN, which stays with its token") {
  const Sizes of{60, 1, 6, 10, 6};
  const Routing routing = routing_of(of, 0);
  std::vector<Tensor> inputs = inputs_of(of);
  double* const gates = inputs[1].mutable_data<double>();
  gates[0] = 0;
  gates[1] = -0.5;
  check_same_bits(inputs, routing);
  gates[2] = NAN;
  const std::vector<double> y = to_vector<double>(results(in_one, inputs, routing)[0]);
  for (int64_t token = 0; token < of.tokens; ++token) CHECK(std::isnan(y[size_t(token * 6)]) == (token == 2));
}

TEST_CASE("moe_mlp: tables with rows that no token has, or that two have, are those of the three ops") {
  const Sizes of{20, 1, 4, 5, 4};
  Routing routing = routing_of(of, 0);
  Tensor choice_of = clone(routing.choice_of);
  choice_of.mutable_data<int32_t>()[2] = -1;
  routing.choice_of = choice_of;
  check_same_bits(inputs_of(of), routing);
  routing = routing_of(of, 0);
  choice_of = clone(routing.choice_of);
  choice_of.mutable_data<int32_t>()[3] = choice_of.data<int32_t>()[2];
  routing.choice_of = choice_of;
  check_same_bits(inputs_of(of), routing);
}

TEST_CASE("moe_mlp: sizes, dtypes and tables that do not fit are refused by name") {
  const Sizes of{4, 1, 4, 3, 2};
  const Routing routing = moe_route(normal({4, kExperts}), one_group(4), 1, {});
  const auto run = [&](size_t changed, const Tensor& to, const Routing& by) {
    std::vector<Tensor> inputs = inputs_of(of);
    inputs[changed] = to;
    Vars vars;
    for (const Tensor& input : inputs) vars.emplace_back(input);
    return in_one(vars, by);
  };
  CHECK_THROWS_WITH_AS(run(0, zeros({4}, DType::f64), routing), "moe_mlp: x is [4]; expected rank 2",
                       ShapeError);
  CHECK_THROWS_WITH_AS(
      run(0, zeros({3, 4}, DType::f64), routing),
      "moe_mlp: routing.row_of is [4, 1]; expected size 3 on axis 0 because there are 3 tokens", ShapeError);
  CHECK_THROWS_WITH_AS(run(1, zeros({4, 2}, DType::f64), routing),
                       "moe_mlp: gates is [4, 2]; expected [4, 1] because routing.row_of is that",
                       ShapeError);
  CHECK_THROWS_WITH_AS(run(1, zeros({4, 1}), routing), "moe_mlp: gates is f32; expected f64 like x",
                       DTypeError);
  CHECK_THROWS_WITH_AS(run(2, zeros({3, 5, 3}, DType::f64), routing),
                       "moe_mlp: up is [3, 5, 3]; expected size 4 on axis 1 because x is [4, 4]", ShapeError);
  Routing wild = routing;
  wild.row_begin = from_vector<int32_t>({4}, {0, 2, 3, 9});
  CHECK_THROWS_WITH_AS(run(0, zeros({4, 4}, DType::f64), wild),
                       "moe_mlp: row_begin holds 9 at [3]; expected 3..4", ValueError);
}
