// The checkers themselves: each is fed something wrong and has to say so.
#include "tests/support/op_case.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/record.h"
#include "ops/add.h"
#include "ops/mul.h"
#include "tensor/factory.h"

using namespace limoe;
using namespace limoe::testing;

namespace {

// y = x * x whose gradient is wrong in the way `wrong` says.
Var bad_square(const Var& x, const std::function<Tensor(const Tensor& right)>& wrong) {
  return record("bad_square", mul_forward(x.value(), x.value()), {x},
                [=](const Tensor& dy, InputGradients& d) {
                  const Tensor half = mul_forward(dy, x.value());
                  d.set(0, wrong(add_forward(half, half)));
                });
}

OpCase bad_case(const std::function<Tensor(const Tensor& right)>& wrong) {
  return {"bad_square", {normal({2, 3})}, [=](const Vars& in) { return bad_square(in[0], wrong); }};
}

}  // namespace

TEST_CASE("gradcheck accepts a right gradient") {
  CHECK(gradcheck(bad_case([](const Tensor& right) { return right; })).ok);
}

TEST_CASE("gradcheck refuses a gradient that is 1 % off, zero, NaN, or wrong in one element") {
  const auto scaled = [](double factor) {
    return [=](const Tensor& right) { return mul_forward(right, full(right.shape(), factor, DType::f64)); };
  };
  CHECK_FALSE(gradcheck(bad_case(scaled(1.01))).ok);
  CHECK_FALSE(gradcheck(bad_case(scaled(0))).ok);
  CHECK_FALSE(gradcheck(bad_case(scaled(NAN))).ok);
  const Comparison one_wrong = gradcheck(bad_case([](const Tensor& right) {
    Tensor changed = clone(right);
    changed.mutable_data<double>()[4] += 0.1;
    return changed;
  }));
  CHECK_FALSE(one_wrong.ok);
  CHECK(one_wrong.message.find("worst at [1, 1]") != std::string::npos);
}

TEST_CASE("close fails on NaN, on a shape, and beyond what is allowed; it accepts equal infinities") {
  const auto tensor = [](double value) { return full({2}, value, DType::f64); };
  CHECK_FALSE(close(tensor(NAN), tensor(NAN), {1, 1}).ok);
  CHECK_FALSE(close(tensor(0), tensor(NAN), {1, 1}).ok);
  CHECK_FALSE(close(tensor(0), full({3}, 0, DType::f64), {1, 1}).ok);
  CHECK_FALSE(close(tensor(1.2), tensor(1), {0.1, 0}).ok);
  CHECK_FALSE(close(tensor(INFINITY), tensor(1), {1, 1}).ok);
  CHECK(close(tensor(INFINITY), tensor(INFINITY), {}).ok);
  CHECK(close(tensor(1.05), tensor(1), {0.1, 0}).ok);
}

TEST_CASE("same_bits tells 0 from -0") {
  CHECK_FALSE(same_bits(full({1}, 0.0), full({1}, -0.0)).ok);
  CHECK(same_bits(full({1}, 0.5), full({1}, 0.5)).ok);
}

TEST_CASE("views_agree refuses an op that reads a view as if it were contiguous") {
  const auto naive = [](const Vars& in) {
    Tensor y = empty(in[0].shape(), in[0].dtype());
    const double* x = in[0].value().data<double>();
    for (int64_t i = 0; i < y.element_count(); ++i) y.mutable_data<double>()[i] = x[i];
    return record("naive_copy", y, {in[0]}, [](const Tensor& dy, InputGradients& d) { d.set(0, dy); });
  };
  CHECK_FALSE(views_agree({"naive_copy", {normal({3, 4})}, naive}).ok);
}

TEST_CASE("makes_again refuses a recipe for another value, and one that keeps the value") {
  const auto remade = [](const std::function<Tensor(const Tensor& y)>& make) {
    return OpCase{"remade", {normal({2, 3})}, [=](const Vars& in) {
                    const Var y = add(in[0], in[0]);
                    return rematerialized(y, [=, y = y.value()] { return make(y); });
                  }};
  };
  CHECK(makes_again(remade([](const Tensor& y) { return clone(y); })).ok);
  CHECK_FALSE(makes_again(remade([](const Tensor& y) { return y; })).ok);
  CHECK_FALSE(makes_again(remade([](const Tensor& y) { return add_forward(y, y); })).ok);
}

TEST_CASE("leaves_nothing sees a tensor that outlives its graph") {
  std::vector<Tensor> hoard;
  const auto leaky = [&](const Vars& in) {
    hoard.push_back(empty({100}));
    return add(in[0], in[0]);
  };
  CHECK_FALSE(leaves_nothing({"leaky", {normal({2})}, leaky}).ok);
}
