#include "ops/mlp.h"

#include <doctest/doctest.h>

#include <any>
#include <array>
#include <functional>

#include "autograd/backward.h"
#include "ops/gelu.h"
#include "ops/grouped_linear.h"
#include "ops/linear.h"
#include "ops/mlp_blocks.h"
#include "tensor/backend.h"
#include "tensor/caching_allocator.h"
#include "tensor/error.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"
#include "tests/support/device.h"
#include "tests/support/live_bytes.h"
#include "tests/support/op_case.h"

using namespace limoe;
using namespace limoe::testing;

namespace {

// Deviations that keep the hidden layer where gelu bends.
std::vector<Tensor> inputs_of(Shape x, int64_t hidden, int64_t outputs) {
  const int64_t width = x[-1];
  return {normal(x, 1, 0.5), normal({width, hidden}, 2, 0.5), normal({hidden}, 3, 0.5),
          normal({hidden, outputs}, 4, 0.5), normal({outputs}, 5, 0.5)};
}

Var dense(const Vars& in) {
  return mlp(in[0], in[1], in[2], in[3], in[4]);
}

Var by_its_parts(const Vars& in) {
  return linear(gelu(linear(in[0], in[1], in[2])), in[3], in[4]);
}

OpCase dense_case(const Shape& x, int64_t hidden, int64_t outputs) {
  return {"mlp", inputs_of(x, hidden, outputs), dense, std::max({x.element_count(), hidden, outputs})};
}

struct Experts {
  std::vector<int32_t> row_begin;
  int64_t rows, width, hidden, outputs;

  int64_t count() const { return int64_t(row_begin.size()) - 1; }
  Tensor begins() const { return from_vector<int32_t>({count() + 1}, row_begin); }
  std::vector<Tensor> inputs() const {
    return {normal({rows, width}, 1, 0.5), normal({count(), width, hidden}, 2, 0.5),
            normal({count(), hidden}, 3, 0.5), normal({count(), hidden, outputs}, 4, 0.5),
            normal({count(), outputs}, 5, 0.5)};
  }
  OpCase op_case() const {
    return {"grouped_mlp", inputs(),
            [begins = begins()](const Vars& in) {
              return grouped_mlp(in[0], in[1], in[2], in[3], in[4], beside(in[0], begins));
            },
            std::max({rows, width, hidden, outputs})};
  }
};

// y and all gradients for a fixed dy.
std::vector<Tensor> results(const std::vector<Tensor>& inputs, DType dtype,
                            const std::function<Var(const Vars&)>& run) {
  Vars leaves;
  for (const Tensor& input : inputs) leaves.push_back(leaf(to_dtype(input, dtype)));
  const Var y = run(leaves);
  backward({{y, to_dtype(normal(y.value().shape(), 9), dtype)}});
  std::vector<Tensor> all{y.value()};
  for (const Var& input : leaves) all.push_back(input.gradient());
  return all;
}

void check_same_results(const std::vector<Tensor>& got, const std::vector<Tensor>& wanted,
                        tolerance::Allowed allowed) {
  REQUIRE(got.size() == wanted.size());
  for (size_t i = 0; i < got.size(); ++i) {
    CAPTURE(i);
    CHECK_CLOSE(got[i], wanted[i], allowed);
  }
}

constexpr int64_t kWide = 300;  // [kWide, kWide] does not go by blocks

}  // namespace

TEST_CASE("mlp: gradient, f32, views, threads and memory on odd shapes") {
  for (const Shape& x : {Shape{5, 7}, Shape{1, 3}, Shape{7}, Shape{2, 3, 5}, Shape{0, 4}, Shape{3, 0}})
    for (const auto& [hidden, outputs] : {std::pair<int64_t, int64_t>{1, 1}, {6, 3}, {17, 2}})
      check_op(dense_case(x, hidden, outputs));
}

TEST_CASE("grouped_mlp: gradient, f32, views, threads and memory on uneven experts") {
  check_op(Experts{{0, 0}, 0, 3, 4, 2}.op_case());             // no rows
  check_op(Experts{{0, 1}, 1, 1, 1, 1}.op_case());             // one of everything
  check_op(Experts{{0, 3, 3, 5}, 7, 4, 3, 2}.op_case());       // an expert without rows, two rows unused
  check_op(Experts{{0, 0, 6, 6, 6}, 6, 3, 5, 4}.op_case());    // all rows on one expert
  check_op(Experts{{0, 1, 3, 6, 10}, 10, 5, 2, 3}.op_case());  // 1, 2, 3, 4 rows
}

TEST_CASE("mlp: it is linear, gelu and linear, by blocks, in several runs of rows and layer by layer") {
  REQUIRE(mlp_fits_blocks({1, 24, 33, 24}));
  REQUIRE_FALSE(mlp_fits_blocks({1, kWide, kWide, kWide}));
  for (const auto& [rows, width, hidden, outputs] :
       {std::array<int64_t, 4>{700, 24, 33, 17}, {2100, 9, 20, 5}, {40, kWide, kWide, 8}}) {
    const std::vector<Tensor> inputs = inputs_of({rows, width}, hidden, outputs);
    check_same_results(results(inputs, DType::f64, dense), results(inputs, DType::f64, by_its_parts),
                       tolerance::kGoldenF64);
  }
}

TEST_CASE("grouped_mlp: it is grouped_linear, gelu and grouped_linear; rows that nobody uses give 0") {
  for (const Experts& of :
       {Experts{{0, 300, 300, 901}, 950, 24, 33, 17}, Experts{{0, 2100, 2101}, 2110, 5, 9, 4},
        Experts{{0, 20, 20, 37}, 40, kWide, kWide, 8}}) {
    const Tensor begins = of.begins();
    const auto by_parts = [&](const Vars& in) {
      return grouped_linear(gelu(grouped_linear(in[0], in[1], in[2], begins)), in[3], in[4], begins);
    };
    const std::vector<Tensor> got = results(of.inputs(), DType::f64, of.op_case().run);
    check_same_results(got, results(of.inputs(), DType::f64, by_parts), tolerance::kGoldenF64);
    for (const size_t rows : {0, 1}) {
      const std::vector<double> all = to_vector<double>(got[rows]);
      const size_t used = size_t(of.row_begin.back() * got[rows].dim(1));
      CHECK(std::vector<double>(all.begin() + int64_t(used), all.end()) ==
            std::vector<double>(all.size() - used, 0));
    }
  }
}

TEST_CASE("grouped_mlp: with one expert for all rows it has the bits of mlp") {
  for (const int64_t rows : {30, 2500}) {
    const Experts of{{0, int32_t(rows)}, rows, 24, 40, 24};
    std::vector<Tensor> dense_inputs = of.inputs();
    for (size_t i = 1; i < 5; ++i)
      dense_inputs[i] = dense_inputs[i].reshape(
          i % 2 == 1 ? Shape{dense_inputs[i].dim(1), dense_inputs[i].dim(2)} : Shape{dense_inputs[i].dim(1)});
    const auto wanted = results(dense_inputs, DType::f32, dense),
               got = results(of.inputs(), DType::f32, of.op_case().run);
    for (size_t i = 0; i < got.size(); ++i) CHECK(to_vector<float>(got[i]) == to_vector<float>(wanted[i]));
  }
}

TEST_CASE("mlp, grouped_mlp: many rows have the same bits on any number of threads, and agree with f64") {
  OpCase cases[] = {dense_case({2100, 12}, 40, 12), Experts{{0, 1100, 1700}, 1800, 12, 40, 12}.op_case()};
  for (OpCase& op_case : cases) {
    for (const int input : {0, 1})  // so that what is summed is about 1 at most, as the tolerance has it
      for (double *x = op_case.inputs[input].mutable_data<double>(),
                  *end = x + op_case.inputs[input].element_count();
           x != end; ++x)
        *x *= 0.5;
    for (const Comparison& result : {threads_agree(op_case), f32_agrees(op_case)})
      CHECK_MESSAGE(result.ok, result.message);
  }
}

TEST_CASE("mlp, grouped_mlp: frozen inputs get no gradient and stop none, by blocks and layer by layer") {
  for (const int64_t width : {3, 300})
    for (int wanted = 0; wanted < 5; ++wanted) {
      Vars in;
      const std::vector<Tensor> inputs = inputs_of({4, width}, width, 2);
      for (int i = 0; i < 5; ++i)
        in.push_back(i == wanted ? leaf(inputs[size_t(i)]) : Var(inputs[size_t(i)]));
      const Var y = dense(in);
      backward({{y, normal(y.value().shape(), 9)}});
      CHECK_CLOSE(in[size_t(wanted)].gradient(),
                  results(inputs, DType::f64, by_its_parts)[size_t(wanted) + 1], tolerance::kGoldenF64);
    }
}

TEST_CASE("mlp: a device agrees on odd shapes") {
  for (const auto& [rows, width, hidden, outputs] :
       {std::array<int64_t, 4>{1, 1, 1, 1}, {33, 5, 17, 3}, {0, 4, 5, 6}, {130, 24, 40, 16}})
    check_device(dense_case({rows, width}, hidden, outputs));
}

TEST_CASE("grouped_mlp: a device agrees on uneven experts and unused rows") {
  check_device(Experts{{0, 3, 3, 5}, 7, 4, 3, 2}.op_case());
  check_device(Experts{{0, 64, 129, 130}, 200, 24, 40, 24}.op_case());
}

TEST_CASE("mlp in bf16: it is the layers in bf16") {
  constexpr auto kBf16 = MatmulPrecision::bf16;
  for (const int64_t width : {24, 300}) {
    const std::vector<Tensor> inputs = inputs_of({70, width}, width, 16);
    check_same_results(results(inputs, DType::f32,
                               [](const Vars& in) { return mlp(in[0], in[1], in[2], in[3], in[4], kBf16); }),
                       results(inputs, DType::f32,
                               [](const Vars& in) {
                                 return linear(gelu(linear(in[0], in[1], in[2], kBf16)), in[3], in[4], kBf16);
                               }),
                       tolerance::f32_sum(width));
  }
}

TEST_CASE("mlp: one hidden layer is kept for the way back, of two that its parts keep") {
  Vars leaves;
  for (const Tensor& input : inputs_of({640, 24}, 40, 24))
    leaves.push_back(leaf(to_dtype(input, DType::f32)));
  const size_t hidden = bytes_kept([] { return std::any(empty({640, 40})); });
  CHECK(hidden > 0);
  CHECK(bytes_kept([&] { return std::any(by_its_parts(leaves)); }) ==
        bytes_kept([&] { return std::any(dense(leaves)); }) + hidden);
}

TEST_CASE("mlp, grouped_mlp: sizes and dtypes that do not fit are refused by name") {
  const auto run = [](const Shape& x, const Shape& up, const Shape& up_bias, const Shape& down,
                      const Shape& down_bias) {
    return mlp(Var(zeros(x)), Var(zeros(up)), Var(zeros(up_bias)), Var(zeros(down)), Var(zeros(down_bias)));
  };
  CHECK_THROWS_WITH_AS(run({2, 4}, {5, 3}, {3}, {3, 4}, {4}),
                       "mlp: up is [5, 3]; expected size 4 on axis 0 because x is [2, 4]", ShapeError);
  CHECK_THROWS_WITH_AS(run({2, 4}, {4, 3}, {4}, {3, 4}, {4}),
                       "mlp: up_bias is [4]; expected [3] because up is [4, 3]", ShapeError);
  CHECK_THROWS_WITH_AS(run({2, 4}, {4, 3}, {3}, {4, 4}, {4}),
                       "mlp: down is [4, 4]; expected size 3 on axis 0 because up is [4, 3]", ShapeError);
  CHECK_THROWS_WITH_AS(run({2, 4}, {4, 3}, {3}, {3, 5}, {4}),
                       "mlp: down_bias is [4]; expected [5] because down is [3, 5]", ShapeError);
  CHECK_THROWS_WITH_AS(mlp(Var(zeros({2, 4})), Var(zeros({4, 3}, DType::f64)), Var(zeros({3})),
                           Var(zeros({3, 4})), Var(zeros({4}))),
                       "mlp: up is f64; expected f32 like x", DTypeError);
  const auto grouped = [](const Shape& down, const Tensor& begins) {
    return grouped_mlp(Var(zeros({4, 3})), Var(zeros({2, 3, 5})), Var(zeros({2, 5})), Var(zeros(down)),
                       Var(zeros({2, 3})), begins);
  };
  CHECK_THROWS_WITH_AS(grouped({3, 5, 3}, from_vector<int32_t>({3}, {0, 2, 4})),
                       "grouped_mlp: down is [3, 5, 3]; expected size 2 on axis 0 because up is [2, 3, 5]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(grouped({2, 5, 3}, from_vector<int32_t>({3}, {0, 2, 5})),
                       "grouped_mlp: row_begin holds 5 at [2]; expected 2..4", ValueError);
  CHECK_THROWS_WITH_AS(grouped({2, 5, 3}, Tensor()),
                       "grouped_mlp: row_begin is undefined; expected i32 [E + 1]", ValueError);
}
