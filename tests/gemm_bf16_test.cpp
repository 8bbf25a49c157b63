#include "ops/gemm_bf16.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "autograd/backward.h"
#include "ops/grouped_linear.h"
#include "ops/linear.h"
#include "tensor/bf16.h"
#include "tensor/error.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"
#include "tests/support/device.h"
#include "tests/support/op_case.h"
#include "tests/support/products.h"

using namespace limoe;
using namespace limoe::testing;

namespace {

using Multiply = void (*)(int64_t, int64_t, int64_t, GemmOperand<float>, GemmOperand<float>, float, float*,
                          int64_t, const float*);

void on_all_threads(int64_t m, int64_t n, int64_t k, GemmOperand<float> a, GemmOperand<float> b, float beta,
                    float* c, int64_t c_stride, const float* bias = nullptr) {
  gemm(m, n, k, a, b, beta, c, c_stride, bias, MatmulPrecision::bf16);
}

// Those that this processor can run.
std::vector<Multiply> all_ways() {
  std::vector<Multiply> ways{on_all_threads, detail::gemm_bf16_on_this_thread, detail::gemm_of_rounded};
  if (bf16_products_are_fast())
    ways.push_back(detail::gemm_by_tiles);
  else
    MESSAGE("not tested here: products by matrix tiles, which this processor does not have");
  return ways;
}

Tensor rounded(const Tensor& x) {
  std::vector<float> values = to_vector<float>(x);
  for (float& value : values) value = float(bf16(value));
  return from_vector(x.shape(), values);
}

Tensor product(Operands<float> operands, const Product& of, Multiply multiply, float beta,
               const float* bias) {
  multiply(of.m, of.n, of.k, {operands.a.data<float>(), operands.a.dim(1), of.a_transposed},
           {operands.b.data<float>(), operands.b.dim(1), of.b_transposed}, beta,
           operands.c.mutable_data<float>(), operands.c.dim(1), bias);
  return operands.c;
}

Operands<float> rounded_operands(const Product& of) {
  Operands<float> operands(of);
  operands.a = rounded(operands.a);
  operands.b = rounded(operands.b);
  return operands;
}

// By the definition, of the rounded operands: C with what lies between its rows, none of which may change.
Tensor wanted_product(const Product& of, float beta) {
  Operands<float> operands = rounded_operands(of);
  operands.run(of, naive<float>, beta);
  return operands.c;
}

void check_product(const Product& of) {
  CAPTURE(of.m);
  CAPTURE(of.n);
  CAPTURE(of.k);
  CAPTURE(of.a_transposed);
  CAPTURE(of.b_transposed);
  for (const float beta : {0.f, 1.f}) {
    const Tensor wanted = wanted_product(of, beta);
    for (const Multiply multiply : all_ways())
      CHECK_CLOSE(product(Operands<float>(of), of, multiply, beta, nullptr), wanted,
                  tolerance::f32_sum(of.k));
  }
}

void check_forms(int64_t m, int64_t n, int64_t k, int64_t apart) {
  for (const bool a_transposed : {false, true})
    for (const bool b_transposed : {false, true}) check_product({m, n, k, a_transposed, b_transposed, apart});
}

}  // namespace

TEST_CASE("gemm in bf16: every form is the product of the rounded operands on every kind of edge") {
  for (const int64_t m : {1, 15, 16, 17, 33})
    for (const int64_t n : {1, 16, 31, 32, 49})
      for (const int64_t k : {0, 1, 2, 16, 31, 32, 33, 65}) check_forms(m, n, k, 3);
  check_forms(0, 16, 3, 0);
  check_forms(16, 0, 3, 0);
}

TEST_CASE("gemm in bf16: sizes beyond one block of rows, of columns and of k agree too") {
  check_forms(300, 33, 17, 1);
  check_forms(33, 601, 40, 0);
  check_forms(31, 33, 1100, 1);
  check_forms(70, 60, 2100, 0);  // cut along k among threads
  check_product({700, 96, 70});
}

TEST_CASE("gemm in bf16: the tolerance above tells products of unrounded operands apart") {
  const Product of{33, 31, 65};
  Operands<float> operands(of);
  operands.run(of, naive<float>, 0);
  CHECK_FALSE(close(operands.c, wanted_product(of, 0), tolerance::f32_sum(of.k)).ok);
}

TEST_CASE("gemm in bf16: whole numbers that bf16 holds are multiplied exactly") {
  const int64_t m = 40, n = 50, k = 70;
  std::vector<float> a(m * k), b(k * n), c(m * n), wanted(m * n);
  for (int64_t i = 0; i < m * k; ++i) a[i] = float(i % 17 - 8);
  for (int64_t i = 0; i < k * n; ++i) b[i] = float(i % 13 - 6);
  naive<float>(m, n, k, {a.data(), k}, {b.data(), n}, 0, wanted.data(), n);
  for (const Multiply multiply : all_ways()) {
    multiply(m, n, k, {a.data(), k}, {b.data(), n}, 0, c.data(), n, nullptr);
    CHECK(c == wanted);
  }
}

TEST_CASE("gemm in bf16: times the unit matrix every number is rounded to nearest, ties to even") {
  // 1 + 2^-8 lies between two numbers of bf16, 1 + 3 2^-8 too; 2^-130 is below what tiles take for 0.
  const std::vector<float> from{1.f,    1.00390625f, 1.01171875f, -1.00390625f, 3.14159265f, 1e30f,
                                1e-30f, 65504.f,     -0.1f,       0x1p-126f,    3.38e38f,    257.f};
  const int64_t n = int64_t(from.size());
  std::vector<float> unit(n * n, 0.f), c(n), wanted;
  for (int64_t i = 0; i < n; ++i) unit[i * n + i] = 1;
  for (const float value : from) wanted.push_back(float(bf16(value)));
  for (const float value : wanted) REQUIRE(std::isfinite(value));
  for (const Multiply multiply : all_ways()) {
    multiply(1, n, n, {from.data(), n}, {unit.data(), n}, 0, c.data(), n, nullptr);
    CHECK(c == wanted);
    multiply(n, 1, n, {unit.data(), n}, {from.data(), 1}, 0, c.data(), 1, nullptr);
    CHECK(c == wanted);
  }
}

TEST_CASE("gemm in bf16: 0 times NaN and 0 times infinity are NaN, in one row or one column alone") {
  const int64_t m = 30, n = 50, k = 40;
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()})
    for (const bool in_a : {true, false})
      for (const Multiply multiply : all_ways()) {
        std::vector<float> a(m * k, in_a ? 1.f : 0.f), b(k * n, in_a ? 0.f : 1.f), c(m * n, 7.f);
        (in_a ? a[17 * k + 3] : b[3 * n + 49]) = bad;
        multiply(m, n, k, {a.data(), k}, {b.data(), n}, 0, c.data(), n, nullptr);
        int64_t wrong = 0;
        for (int64_t i = 0; i < m; ++i)
          for (int64_t j = 0; j < n; ++j) wrong += std::isnan(c[i * n + j]) != (in_a ? i == 17 : j == 49);
        CHECK(wrong == 0);
      }
}

TEST_CASE("gemm in bf16: with a bias every row starts from it, in one run of k and in several") {
  for (const Product& of : {Product{31, 5, 0}, Product{31, 33, 9}, Product{40, 32, 801},
                            Product{33, 31, 5000}, Product{700, 96, 70}}) {
    const Tensor bias = to_dtype(normal({of.n}, 4), DType::f32);
    Operands<float> operands = rounded_operands(of);
    for (int64_t i = 0; i < of.m * of.n; ++i)
      operands.c.mutable_data<float>()[i] = bias.data<float>()[i % of.n];
    operands.run(of, naive<float>, 1);
    for (const Multiply multiply : all_ways())
      CHECK_CLOSE(product(Operands<float>(of), of, multiply, 0, bias.data<float>()), operands.c,
                  tolerance::f32_sum(of.k));
  }
}

TEST_CASE("gemm in bf16: how C is cut does not show in the bits") {
  for (const bool b_transposed : {false, true})
    for (const Multiply multiply : all_ways()) {
      if (multiply == on_all_threads) continue;
      const Product of{130, 150, 800, false, b_transposed};
      const Operands<float> operands(of);
      const GemmOperand<float> a{operands.a.data<float>(), of.k},
          b{operands.b.data<float>(), operands.b.dim(1), b_transposed};
      Tensor whole = empty({of.m, of.n}), pieces = empty({of.m, of.n});
      multiply(of.m, of.n, of.k, a, b, 0, whole.mutable_data<float>(), of.n, nullptr);
      for (int64_t i = 0; i < of.m; i += 13)
        for (int64_t j = 0; j < of.n; j += 50)
          multiply(13, 50, of.k, a.from(i, 0), b.from(0, j), 0, pieces.mutable_data<float>() + i * of.n + j,
                   of.n, nullptr);
      CHECK_SAME_BITS(pieces, whole);
    }
}

TEST_CASE("gemm in bf16: one, two and three threads give the same bits, whichever way the product is cut") {
  const int threads = thread_count();
  for (const Product& of : {Product{1000, 96, 70}, Product{96, 1000, 70, false, true},
                            Product{96, 100, 3000, true}, Product{33, 31, 5000, true}}) {
    set_thread_count(1);
    const Tensor one = product(Operands<float>(of), of, on_all_threads, 1, nullptr);
    for (const int count : {2, 3}) {
      set_thread_count(count);
      CHECK_SAME_BITS(product(Operands<float>(of), of, on_all_threads, 1, nullptr), one);
    }
  }
  set_thread_count(threads);
}

TEST_CASE("linear in bf16: x, kernel and dy are rounded, sums and the bias's gradient are not") {
  const Tensor x = to_dtype(normal({40, 24}, 1), DType::f32),
               kernel = to_dtype(normal({24, 33}, 2), DType::f32),
               bias = to_dtype(normal({33}, 3), DType::f32), dy = to_dtype(normal({40, 33}, 4), DType::f32);
  constexpr auto kBf16 = MatmulPrecision::bf16;
  const auto allowed = tolerance::f32_sum(40);
  CHECK_CLOSE(linear_forward(x, kernel, bias, kBf16), linear_forward(rounded(x), rounded(kernel), bias),
              allowed);
  CHECK_CLOSE(linear_backward_x(kernel, dy, kBf16), linear_backward_x(rounded(kernel), rounded(dy)), allowed);
  CHECK_CLOSE(linear_backward_kernel(x, dy, kBf16), linear_backward_kernel(rounded(x), rounded(dy)), allowed);
  const Var in = leaf(x), weights = leaf(kernel), offset = leaf(bias);
  const Var y = linear(in, weights, offset, kBf16);
  backward({{y, dy}});
  CHECK_SAME_BITS(in.gradient(), linear_backward_x(kernel, dy, kBf16));
  CHECK_SAME_BITS(weights.gradient(), linear_backward_kernel(x, dy, kBf16));
  CHECK_SAME_BITS(offset.gradient(), linear_backward_bias(dy));
}

TEST_CASE("grouped_linear in bf16: each expert is a linear layer in bf16 on its rows") {
  const Tensor rows = to_dtype(normal({50, 24}, 1), DType::f32),
               kernel = to_dtype(normal({3, 24, 33}, 2), DType::f32),
               bias = to_dtype(normal({3, 33}, 3), DType::f32),
               dy = to_dtype(normal({50, 33}, 4), DType::f32);
  const Tensor begins = from_vector<int32_t>({4}, {0, 20, 20, 47});
  constexpr auto kBf16 = MatmulPrecision::bf16;
  const auto allowed = tolerance::f32_sum(33);
  CHECK_CLOSE(grouped_linear_forward(rows, kernel, bias, begins, kBf16),
              grouped_linear_forward(rounded(rows), rounded(kernel), bias, begins), allowed);
  CHECK_CLOSE(grouped_linear_backward_rows(kernel, begins, dy, kBf16),
              grouped_linear_backward_rows(rounded(kernel), begins, rounded(dy)), allowed);
  CHECK_CLOSE(grouped_linear_backward_kernel(rows, begins, dy, kBf16),
              grouped_linear_backward_kernel(rounded(rows), begins, rounded(dy)), allowed);
  const Var in = leaf(rows), weights = leaf(kernel), offset = leaf(bias);
  backward({{grouped_linear(in, weights, offset, begins, kBf16), dy}});
  CHECK_SAME_BITS(in.gradient(), grouped_linear_backward_rows(kernel, begins, dy, kBf16));
  CHECK_SAME_BITS(weights.gradient(), grouped_linear_backward_kernel(rows, begins, dy, kBf16));
}

TEST_CASE("linear in bf16: a device refuses it; there tensors themselves are bf16") {
  if (!device_under_test()) return;
  const Tensor x = to_device(zeros({2, 4}), *device_under_test()),
               kernel = to_device(zeros({4, 3}), *device_under_test());
  const std::string where = concatenate(*device_under_test());
  CHECK_THROWS_WITH_AS(
      linear_forward(x, kernel, {}, MatmulPrecision::bf16),
      ("linear: x is f32 on " + where + "; expected f32 on cpu because the precision is bf16").c_str(),
      DTypeError);
}

TEST_CASE("linear in bf16: f64 is refused") {
  CHECK_THROWS_WITH_AS(
      linear_forward(zeros({2, 4}, DType::f64), zeros({4, 3}, DType::f64), {}, MatmulPrecision::bf16),
      "linear: x is f64 on cpu; expected f32 on cpu because the precision is bf16", DTypeError);
}
