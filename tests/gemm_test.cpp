#include "ops/gemm.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "ops/gemm_by_eigen.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"
#include "tests/support/op_case.h"
#include "tests/support/products.h"

using namespace limoe;
using namespace limoe::testing;

namespace {

template <class T>
using GemmWithBias = void (*)(int64_t, int64_t, int64_t, GemmOperand<T>, GemmOperand<T>, T, T*, int64_t,
                              const T*, MatmulPrecision);

template <class T>
void on_all_threads(int64_t m, int64_t n, int64_t k, GemmOperand<T> a, GemmOperand<T> b, T beta, T* c,
                    int64_t c_stride) {
  gemm(m, n, k, a, b, beta, c, c_stride);
}
template <class T>
void on_this_thread(int64_t m, int64_t n, int64_t k, GemmOperand<T> a, GemmOperand<T> b, T beta, T* c,
                    int64_t c_stride) {
  gemm_on_this_thread(m, n, k, a, b, beta, c, c_stride);
}

// C with whatever lies between its rows: none of that may change.
template <class T>
void check_product(const Product& of) {
  CAPTURE(of.m);
  CAPTURE(of.n);
  CAPTURE(of.k);
  CAPTURE(of.a_transposed);
  CAPTURE(of.b_transposed);
  CAPTURE(of.apart);
  for (const T beta : {T(0), T(1)}) {
    const Tensor wanted = result<T>(of, naive<T>, beta), twin = result<T>(of, gemm_by_eigen<T>, beta);
    CHECK_CLOSE(twin, wanted, tolerance::f32_sum(of.k));
    CHECK_CLOSE(result<T>(of, on_all_threads<T>, beta), wanted, tolerance::f32_sum(of.k));
    CHECK_CLOSE(result<T>(of, on_this_thread<T>, beta), wanted, tolerance::f32_sum(of.k));
  }
}

template <class T>
void check_forms(int64_t m, int64_t n, int64_t k, int64_t apart) {
  for (const bool a_transposed : {false, true})
    for (const bool b_transposed : {false, true})
      check_product<T>({m, n, k, a_transposed, b_transposed, apart});
}

constexpr float kNan = std::numeric_limits<float>::quiet_NaN(),
                kInfinity = std::numeric_limits<float>::infinity();

bool all_nan(const std::vector<float>& values) {
  for (const float value : values)
    if (!std::isnan(value)) return false;
  return true;
}

}  // namespace

TEST_CASE("gemm: every form agrees with its definition and its twin on every kind of edge, in f32 and f64") {
  for (const int64_t m : {1, 7, 14, 15, 29})
    for (const int64_t n : {1, 15, 16, 17, 31, 33, 64})
      for (const int64_t k : {0, 1, 16, 33}) {
        check_forms<float>(m, n, k, 3);
        check_forms<double>(m, n, k, 0);
      }
  check_forms<float>(63, 65, 7, 0);
  check_forms<float>(0, 16, 3, 0);
  check_forms<float>(16, 0, 3, 0);
}

TEST_CASE("gemm: sizes beyond one block of rows, of columns and of k agree too") {
  check_forms<float>(401, 33, 17, 1);
  check_forms<float>(15, 401, 65, 0);
  check_forms<float>(31, 33, 801, 1);
  check_forms<double>(17, 15, 401, 0);
  check_forms<float>(97, 95, 1031, 0);
  check_forms<float>(9, 1600, 130, 0);  // few rows of many columns: short runs of k
  check_forms<float>(101, 97, 391, 1);
}

TEST_CASE("gemm: a transposed A in rows so long that its blocks are copied agrees too") {
  for (const int64_t m : {9, 10, 28, 300}) check_product<float>({m, 150, 390, true, false, 257});
  check_product<float>({28, 97, 5, true, true, 257});
  check_product<double>({28, 150, 390, true, false, 129});
}

TEST_CASE("gemm_on_this_thread: a narrow C of a transposed A has the bits of a wide one's columns") {
  constexpr int64_t kWide = 40;
  for (const int64_t m : {48, 96, 401})
    for (const int64_t k : {0, 1, 33, 801})
      for (const int64_t n : {1, 4, 7, 8, 9})
        for (const bool b_transposed : {false, true}) {
          const Tensor a = random_normal({k, m}, 0, 1, 1, 0, DType::f32),
                       b = random_normal(b_transposed ? Shape{kWide, k} : Shape{k, kWide}, 0, 1, 1, 1,
                                         DType::f32);
          const GemmOperand<float> in_a{a.data<float>(), m, true},
              in_b{b.data<float>(), b_transposed ? k : kWide, b_transposed};
          Tensor wide = full({m, kWide}, kNan, DType::f32), narrow = full({m, n + 1}, kNan, DType::f32);
          gemm_on_this_thread<float>(m, kWide, k, in_a, in_b, 0, wide.mutable_data<float>(), kWide);
          gemm_on_this_thread<float>(m, n, k, in_a, in_b, 0, narrow.mutable_data<float>(), n + 1);
          CAPTURE(m);
          CAPTURE(n);
          CAPTURE(k);
          for (int64_t i = 0; i < m; ++i) {
            for (int64_t j = 0; j < n; ++j)
              REQUIRE(narrow.data<float>()[i * (n + 1) + j] == wide.data<float>()[i * kWide + j]);
            REQUIRE(
                std::isnan(narrow.data<float>()[i * (n + 1) + n]));  // what lies between rows is left alone
          }
        }
}

TEST_CASE("gemm: a narrow C of a transposed A agrees with its definition in every form") {
  for (const int64_t n : {1, 8})
    for (const int64_t k : {17, 2100})
      for (const bool b_transposed : {false, true}) {
        check_product<float>({97, n, k, true, b_transposed, 3});
        check_product<double>({97, n, k, true, b_transposed, 0});
      }
}

TEST_CASE("gemm: few rows that read a wide B some columns after the others agree with its definition") {
  for (const int64_t n : {769, 1540}) {
    check_forms<float>(7, n, 300, 5);
    check_product<double>({100, n, 40, false, false, 0});
  }
}

TEST_CASE(
    "gemm_on_this_thread: a wide B of few rows, with a bias, has the bits of its columns by themselves") {
  constexpr int64_t kRows = 5, kWide = 1600, kDepth = 500;
  const Tensor a = random_normal({kRows, kDepth}, 0, 1, 1, 0), b = random_normal({kDepth, kWide}, 0, 1, 1, 1),
               bias = random_normal({kWide}, 0, 1, 1, 2);
  Tensor wide = full({kRows, kWide}, kNan), part = full({kRows, kWide}, kNan);
  const GemmOperand<float> in_a{a.data<float>(), kDepth}, in_b{b.data<float>(), kWide};
  gemm_on_this_thread<float>(kRows, kWide, kDepth, in_a, in_b, 0, wide.mutable_data<float>(), kWide,
                             bias.data<float>());
  for (int64_t j = 0; j < kWide; j += 100)
    gemm_on_this_thread<float>(kRows, 100, kDepth, in_a, in_b.from(0, j), 0, part.mutable_data<float>() + j,
                               kWide, bias.data<float>() + j);
  CHECK_SAME_BITS(wide, part);
}

TEST_CASE("gemm: a product that is cut along k agrees with its definition in every form") {
  for (const bool a_transposed : {false, true})
    for (const bool b_transposed : {false, true})
      for (const float beta : {0.f, 1.f}) {
        const Product of{70, 60, 2100, a_transposed, b_transposed, 2};
        CHECK_CLOSE(result<float>(of, on_all_threads<float>, beta), result<float>(of, naive<float>, beta),
                    tolerance::f32_sum(of.k));
      }
}

TEST_CASE("gemm: 0 times NaN and 0 times infinity are NaN, and spread over one row or one column alone") {
  const int64_t m = 30, n = 50, k = 20;
  for (const float bad : {kNan, kInfinity})
    for (const bool in_a : {true, false}) {
      std::vector<float> a(m * k, in_a ? 1.f : 0.f), b(k * n, in_a ? 0.f : 1.f), c(m * n, 7.f);
      (in_a ? a[17 * k + 3] : b[3 * n + 49]) = bad;
      gemm<float>(m, n, k, {a.data(), k}, {b.data(), n}, 0, c.data(), n);
      for (int64_t i = 0; i < m; ++i)
        for (int64_t j = 0; j < n; ++j) {
          const bool hit = in_a ? i == 17 : j == 49;
          CHECK(std::isnan(c[i * n + j]) == hit);
        }
    }
}

TEST_CASE("gemm: with beta 0 what C held does not matter, NaN included; with beta 1 it does") {
  std::vector<float> a(40 * 20, 1.f), c(40 * 20, kNan);
  gemm<float>(40, 20, 20, {a.data(), 20}, {a.data(), 20}, 0, c.data(), 20);
  CHECK(c == std::vector<float>(40 * 20, 20.f));
  c.assign(40 * 20, kNan);
  gemm<float>(40, 20, 20, {a.data(), 20}, {a.data(), 20}, 1, c.data(), 20);
  CHECK(all_nan(c));
  gemm<float>(40, 20, 0, {a.data(), 20}, {a.data(), 20}, 0, c.data(), 20);
  CHECK(c == std::vector<float>(40 * 20, 0.f));
}

namespace {

void check_bias(const Product& of, GemmWithBias<float> multiply) {
  CAPTURE(of.m);
  CAPTURE(of.n);
  CAPTURE(of.k);
  Operands<float> operands(of);
  const Tensor bias = to_dtype(normal({of.n}, 4), DType::f32);
  Tensor wanted = empty({of.m, of.n});
  for (int64_t i = 0; i < of.m * of.n; ++i) wanted.mutable_data<float>()[i] = bias.data<float>()[i % of.n];
  const GemmOperand<float> a{operands.a.data<float>(), of.k}, b{operands.b.data<float>(), of.n};
  naive<float>(of.m, of.n, of.k, a, b, 1, wanted.mutable_data<float>(), of.n);
  multiply(of.m, of.n, of.k, a, b, 0, operands.c.mutable_data<float>(), of.n, bias.data<float>(),
           MatmulPrecision::fp32);
  CHECK_CLOSE(operands.c, wanted, tolerance::f32_sum(of.k));
}

}  // namespace

TEST_CASE(
    "gemm_on_this_thread: with a bias every row starts from it, in one run of k and in several, at every "
    "edge") {
  for (const int64_t n : {5, 16, 33, 49})
    for (const int64_t k : {0, 9, 801}) check_bias({31, n, k}, gemm_on_this_thread<float>);
}

TEST_CASE("gemm: with a bias every row starts from it, whichever way the product is cut") {
  for (const Product& of :
       {Product{3, 5, 7}, Product{1000, 96, 70}, Product{96, 1000, 70}, Product{33, 31, 5000}})
    check_bias(of, gemm<float>);
}

TEST_CASE("gemm_on_this_thread: how C is cut does not show in the bits") {
  for (const bool b_transposed : {false, true}) {
    const Product of{130, 150, 800, false, b_transposed};
    Operands<float> operands(of);
    const float *const a = operands.a.data<float>(), *const b = operands.b.data<float>();
    Tensor whole = empty({of.m, of.n}), pieces = empty({of.m, of.n});
    const GemmOperand<float> right{b, operands.b.dim(1), b_transposed};
    gemm_on_this_thread<float>(of.m, of.n, of.k, {a, of.k}, right, 0, whole.mutable_data<float>(), of.n);
    for (int64_t i = 0; i < of.m; i += 13)
      for (int64_t j = 0; j < of.n; j += 50) {
        const GemmOperand<float> columns{b + (b_transposed ? j * right.stride : j), right.stride,
                                         b_transposed};
        gemm_on_this_thread<float>(13, 50, of.k, {a + i * of.k, of.k}, columns, 0,
                                   pieces.mutable_data<float>() + i * of.n + j, of.n);
      }
    CHECK_SAME_BITS(pieces, whole);
  }
}

TEST_CASE("gemm: one, two and three threads give the same bits, whichever way the product is cut") {
  const int threads = thread_count();
  for (const Product& of :
       {Product{1000, 96, 70}, Product{96, 1000, 70, false, true}, Product{96, 100, 3000, true},
        Product{400, 1200, 400, true, true}, Product{33, 31, 5000, true}}) {
    set_thread_count(1);
    const Tensor one = result<float>(of, on_all_threads<float>, 1);
    for (const int count : {2, 3}) {
      set_thread_count(count);
      CHECK_SAME_BITS(result<float>(of, on_all_threads<float>, 1), one);
    }
  }
  set_thread_count(threads);
}
