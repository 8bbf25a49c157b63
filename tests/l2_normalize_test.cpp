#include "ops/l2_normalize.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/golden_op.h"
#include "tests/support/op_case.h"

using namespace limoe;
using namespace limoe::testing;

TEST_CASE("l2_normalize: gradient, f32, views, threads and memory on odd shapes") {
  for (const Shape& shape : {Shape{0, 3}, Shape{3}, Shape{4, 2}, Shape{3, 31}, Shape{2, 2, 33}, Shape{2, 0}})
    check_op({"l2_normalize", {normal(shape)}, [](const Vars& in) { return l2_normalize(in[0]); }});
  const OpCase wide{
      "l2_normalize", {normal({300, 257})}, [](const Vars& in) { return l2_normalize(in[0]); }, 257};
  for (const Comparison& result : {f32_agrees(wide), threads_agree(wide)})
    CHECK_MESSAGE(result.ok, result.message);
}

TEST_CASE("l2_normalize: a device agrees on odd shapes") {
  for (const Shape& shape : {Shape{0, 3}, Shape{3}, Shape{4, 2}, Shape{3, 31}, Shape{2, 2, 33}, Shape{2, 0},
                             Shape{9, 64}, Shape{2, 197}, Shape{3, 577}})
    check_device({"l2_normalize", {normal(shape)}, [](const Vars& in) { return l2_normalize(in[0]); }});
}

TEST_CASE("l2_normalize: rows become unit rows up to the guard, however large they are") {
  for (const double size : {1.0, 1e4, -1e4})
    CHECK_CLOSE(l2_normalize_forward(full({2, 4}, size, DType::f64)),
                full({2, 4}, (size > 0 ? 2 : -2) * std::abs(size) / (4 * std::abs(size) + 2e-8), DType::f64),
                tolerance::kGoldenF64);
}

TEST_CASE("l2_normalize: zero stays zero and its gradient is the formula's, dy / 1e-8") {
  for (const DType dtype : {DType::f32, DType::f64}) {
    const Tensor x = zeros({2, 3}, dtype), dy = full({2, 3}, 3, dtype);
    CHECK_SAME_BITS(l2_normalize_forward(x), x);
    CHECK_CLOSE(l2_normalize_backward(x, dy), full({2, 3}, 3e8, DType::f64), tolerance::f32_sum(1));
  }
}

TEST_CASE("l2_normalize: the gradient near zero is finite and goes over into the one at zero") {
  for (const double size : {1e-20, 1e-12, 1e-10}) {
    const Tensor dx = l2_normalize_backward(full({1, 3}, size), full({1, 3}, 1));
    // 1 / m - x x / (n m^2), with all x equal: norm n = sqrt(3) x, so 1/m - n / m^2 = 1e-8 / m^2.
    const double guarded = std::sqrt(3.0) * size + 1e-8;
    CHECK_CLOSE(dx, full({1, 3}, 1e-8 / guarded / guarded, DType::f64), tolerance::f32_sum(16));
  }
}

TEST_CASE("l2_normalize: NaN stays in its row; scalars and integers are refused") {
  const std::vector<double> y =
      to_vector<double>(l2_normalize_forward(from_vector<double>({2, 1}, {NAN, 0})));
  CHECK(std::isnan(y[0]));
  CHECK(y[1] == 0.0);
  CHECK_THROWS_WITH_AS(l2_normalize_forward(zeros({})), "l2_normalize: x is []; expected rank 1 or more",
                       ShapeError);
  CHECK_THROWS_WITH_AS(l2_normalize_forward(zeros({2}, DType::i32)),
                       "l2_normalize: x is i32; expected a floating dtype", DTypeError);
}

TEST_CASE("l2_normalize: agrees with an independent implementation, gradient included") {
  for (const char* name : {"l2_normalize.rows", "l2_normalize.small"})
    check_golden(name, {"x"}, [](const Vars& in) { return l2_normalize(in[0]); });
  CHECK_SAME_BITS(l2_normalize_forward(golden_op("l2_normalize.zero", "x")),
                  golden_op("l2_normalize.zero", "y"));
}
