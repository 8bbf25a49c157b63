#include "ops/exp.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/op_case.h"

using namespace limoe;
using namespace limoe::testing;

TEST_CASE("exp: gradient, f32, views, threads and memory on odd shapes") {
  for (const Shape& shape : {Shape{}, Shape{0, 3}, Shape{1, 31}, Shape{3, 33}})
    check_op({"exp", {normal(shape)}, [](const Vars& in) { return limoe::exp(in[0]); }});
}

TEST_CASE("exp: a device agrees on odd shapes and on whole packs") {
  for (const Shape& shape : {Shape{}, Shape{0, 3}, Shape{1, 31}, Shape{3, 33}, Shape{4, 64}})
    check_device({"exp", {normal(shape)}, [](const Vars& in) { return limoe::exp(in[0]); }});
}

TEST_CASE("exp: zero, minus infinity, overflow and NaN; an integer tensor is refused by name") {
  for (const DType dtype : {DType::f32, DType::f64})
    for (const int64_t times : {1, 16}) {  // alone, and in whole registers
      std::vector<double> x;
      for (const double value : {0.0, double(-INFINITY), -1e4, 1e4, double(NAN)})
        x.insert(x.end(), times, value);
      const Tensor of = to_dtype(from_vector<double>({5 * times}, x), dtype);
      const std::vector<double> y = to_vector<double>(exp_forward(of));
      for (int64_t i = 0; i < times; ++i) {
        CHECK(y[i] == 1.0);
        CHECK(y[times + i] == 0.0);
        CHECK(y[2 * times + i] == 0.0);
        CHECK(y[3 * times + i] == INFINITY);
        CHECK(std::isnan(y[4 * times + i]));
      }
    }
  CHECK_THROWS_WITH_AS(exp_forward(zeros({2}, DType::i32)), "exp: x is i32; expected a floating dtype",
                       DTypeError);
}
