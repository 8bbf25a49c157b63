#include "ops/vector_math.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

using namespace limoe;

namespace {

std::vector<float> exp_of(const std::vector<float>& x) {
  std::vector<float> y(x.size());
  for_each_register(
      y.data(), int64_t(x.size()), [](FloatRegister x) { return vector_exp(x); }, x.data());
  return y;
}

}  // namespace

TEST_CASE("vector_exp: within 1.1 units in the last place of exp() in double, over its whole range") {
  std::vector<float> x;
  for (double value = -87; value <= 88; value += 0.00037) x.push_back(float(value));
  const std::vector<float> y = exp_of(x);
  double worst = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double wanted = std::exp(double(x[i]));
    const double unit = std::ldexp(1.0, std::ilogb(wanted) - 23);
    const double error = std::abs(double(y[i]) - wanted) / unit;
    worst = !(error <= worst) ? error : worst;
  }
  CHECK(worst <= 1.1);
  CHECK(exp_of({0})[0] == 1);
}

TEST_CASE("vector_exp: NaN stays NaN, also through the clamps") {
  const FloatRegister nan = NAN - FloatRegister{};
  CHECK(std::isnan(vector_exp(nan)[0]));
  CHECK(std::isnan(at_least(nan, 1)[0]));
  CHECK(std::isnan(at_most(nan, 1)[0]));
  CHECK(at_least(FloatRegister{}, 2)[0] == 2);
  CHECK(at_most(FloatRegister{}, -2)[kFloatLanes - 1] == -2);
}

TEST_CASE("vector_exp: an element's bits do not depend on where it stands") {
  for (int64_t count = 1; count < 3 * kFloatLanes; ++count) {
    std::vector<float> x(size_t(count), 0.7f);
    for (const float y : exp_of(x)) CHECK(y == exp_of({0.7f})[0]);
  }
}
