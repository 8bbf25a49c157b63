// MLPs in bf16 by matrix tiles (ops/mlp_amx.h), held bit for bit to the layers one by one, whose products
// gemm_bf16_test holds to their definition.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "autograd/backward.h"
#include "ops/gelu.h"
#include "ops/grouped_linear.h"
#include "ops/linear.h"
#include "ops/mlp.h"
#include "ops/mlp_blocks.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"
#include "tests/support/op_case.h"

using namespace limoe;
using namespace limoe::testing;

namespace {

constexpr auto kBf16 = MatmulPrecision::bf16;

bool there_are_tiles() {
  if (!bf16_products_are_fast())
    MESSAGE("not tested here: products by matrix tiles, which this processor does not have");
  return bf16_products_are_fast();
}

struct Sizes {
  int64_t rows, inputs, hidden, outputs;
};

// Lines, columns and rows that fill tiles, end one before and one behind, and blocks and runs of rows.
constexpr Sizes kSizes[] = {{1, 1, 1, 1},      {16, 32, 32, 16},   {17, 33, 31, 15},  {31, 96, 384, 96},
                            {33, 40, 100, 24}, {255, 12, 48, 130}, {257, 65, 33, 63}, {300, 96, 384, 96},
                            {0, 8, 8, 8},      {900, 20, 70, 18},  {2100, 24, 40, 24}};

// So that what biases' gradients sum is about 1 at most, as the tolerance has it.
Tensor f32_normal(const Shape& shape, uint64_t seed) {
  return to_dtype(normal(shape, seed, 0.25), DType::f32);
}

std::vector<Tensor> dense_inputs(const Sizes& of) {
  return {f32_normal({of.rows, of.inputs}, 1), f32_normal({of.inputs, of.hidden}, 2),
          f32_normal({of.hidden}, 3), f32_normal({of.hidden, of.outputs}, 4), f32_normal({of.outputs}, 5)};
}

std::vector<Tensor> grouped_inputs(const Sizes& of, int64_t experts) {
  return {f32_normal({of.rows, of.inputs}, 1), f32_normal({experts, of.inputs, of.hidden}, 2),
          f32_normal({experts, of.hidden}, 3), f32_normal({experts, of.hidden, of.outputs}, 4),
          f32_normal({experts, of.outputs}, 5)};
}

Var by_tiles(const Vars& in) {
  return mlp(in[0], in[1], in[2], in[3], in[4], kBf16);
}

Var by_layers(const Vars& in) {
  return linear(gelu(linear(in[0], in[1], in[2], kBf16)), in[3], in[4], kBf16);
}

// y, then the gradients of the inputs for a fixed dy.
std::vector<Tensor> results(const std::vector<Tensor>& inputs, const std::function<Var(const Vars&)>& run) {
  Vars leaves;
  for (const Tensor& input : inputs) leaves.push_back(leaf(input));
  const Var y = run(leaves);
  backward({{y, f32_normal(y.value().shape(), 9)}});
  std::vector<Tensor> all{y.value()};
  for (const Var& input : leaves) all.push_back(input.gradient());
  return all;
}

// Sums over rows for biases are cut differently from those of column_sums().
void check_results(const std::vector<Tensor>& got, const std::vector<Tensor>& wanted, int64_t rows) {
  for (const size_t exact : {0, 1, 2, 4}) {
    CAPTURE(exact);
    CHECK_SAME_BITS(got[exact], wanted[exact]);
  }
  for (const size_t bias : {3, 5}) CHECK_CLOSE(got[bias], wanted[bias], tolerance::f32_sum(rows));
}

}  // namespace

TEST_CASE("mlp by tiles: the bits of the layers, on sizes around tiles, blocks and runs") {
  if (!there_are_tiles()) return;
  for (const Sizes& sizes : kSizes) {
    CAPTURE(sizes.rows);
    REQUIRE(mlp_fits_blocks({1, sizes.inputs, sizes.hidden, sizes.outputs}));
    const std::vector<Tensor> inputs = dense_inputs(sizes);
    check_results(results(inputs, by_tiles), results(inputs, by_layers), sizes.rows);
  }
}

TEST_CASE("grouped_mlp by tiles: the bits of the layers, with experts of no, few and many rows") {
  if (!there_are_tiles()) return;
  for (const auto& [begins, sizes] :
       {std::pair{std::vector<int32_t>{0, 0, 1, 17, 17, 50}, Sizes{50, 33, 40, 17}},
        {{0, 300, 301, 901}, {950, 96, 384, 96}},
        {{0, 0}, {3, 8, 8, 8}}}) {
    const int64_t experts = int64_t(begins.size()) - 1;
    const Tensor row_begin = from_vector<int32_t>({experts + 1}, begins);
    const std::vector<Tensor> inputs = grouped_inputs(sizes, experts);
    const auto layers = [&](const Vars& in) {
      return grouped_linear(gelu(grouped_linear(in[0], in[1], in[2], row_begin, kBf16)), in[3], in[4],
                            row_begin, kBf16);
    };
    check_results(results(inputs,
                          [&](const Vars& in) {
                            return grouped_mlp(in[0], in[1], in[2], in[3], in[4], row_begin, kBf16);
                          }),
                  results(inputs, layers), sizes.rows);
  }
}

TEST_CASE("mlp by tiles: the same bits on any number of threads") {
  if (!there_are_tiles()) return;
  const std::vector<Tensor> inputs = dense_inputs({2500, 24, 70, 24});
  const int before = thread_count();
  set_thread_count(1);
  const std::vector<Tensor> wanted = results(inputs, by_tiles);
  for (const int threads : {2, 3}) {
    set_thread_count(threads);
    const std::vector<Tensor> got = results(inputs, by_tiles);
    for (size_t i = 0; i < got.size(); ++i) CHECK_SAME_BITS(got[i], wanted[i]);
  }
  set_thread_count(before);
}

TEST_CASE("mlp by tiles: NaN in a row reaches that row of y and dx, and all weights' gradients") {
  if (!there_are_tiles()) return;
  const Sizes sizes{40, 20, 36, 18};
  std::vector<Tensor> inputs = dense_inputs(sizes);
  inputs[0].mutable_data<float>()[33 * sizes.inputs + 5] = NAN;
  const std::vector<Tensor> got = results(inputs, by_tiles);
  for (const size_t rows_of : {0, 1}) {
    const int64_t width = got[rows_of].dim(1);
    const float* const data = got[rows_of].data<float>();
    for (int64_t i = 0; i < got[rows_of].element_count(); ++i)
      CHECK(std::isnan(data[i]) == (i / width == 33));
  }
  for (const size_t weight : {2, 3, 4}) {
    const std::vector<float> values = to_vector<float>(got[weight]);
    CHECK(std::any_of(values.begin(), values.end(), [](float x) { return std::isnan(x); }));
  }
}
