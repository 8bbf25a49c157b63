#include "tests/support/router_loss_case.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/backward.h"
#include "tensor/factory.h"
#include "tests/support/device.h"
#include "tests/support/op_case.h"
#include "tests/support/routing_fixture.h"

namespace limoe::testing {
namespace {

Tensor rows_for(const RouterLossCase& loss_case, const Shape& shape) {
  return loss_case.of_probabilities ? uniform(shape, 0.05, 1, 7) : normal(shape, 7);
}

OpCase op_case_of(const RouterLossCase& loss_case, const Shape& shape, const Tensor& group_of,
                  int64_t groups) {
  return {loss_case.name, {rows_for(loss_case, shape)}, [=](const Vars& in) {
            return loss_case.loss(in[0], group_of, groups);
          }};
}

void check_sizes(const RouterLossCase& loss_case) {
  check_op(op_case_of(loss_case, {0, 3}, one_group(0), 1));
  check_op(op_case_of(loss_case, {1, 5}, one_group(1), 1));
  check_op(op_case_of(loss_case, {9, 4}, one_group(9), 1));
  check_op(op_case_of(loss_case, {23, 5}, from_vector<int32_t>({23}, groups_of_three(23)), 3));
  check_op(op_case_of(loss_case, {6, 3}, one_group(6), 4));  // three groups hold nobody
  const Comparison threads =
      threads_agree(op_case_of(loss_case, {9000, 8}, from_vector<int32_t>({9000}, groups_of_three(9000)), 3));
  CHECK_MESSAGE(threads.ok, threads.message);
}

// The loss of three groups is the mean of each group's own, computed on a tensor of its tokens alone.
void check_groups_are_alone(const RouterLossCase& loss_case) {
  const std::vector<int32_t> group_of = groups_of_three(23);
  const Tensor rows = rows_for(loss_case, {23, 5});
  double sum = 0;
  for (int32_t group = 0; group < 3; ++group) {
    std::vector<double> members;
    for (int64_t token = 0; token < 23; ++token)
      if (group_of[token] == group)
        members.insert(members.end(), rows.data<double>() + token * 5, rows.data<double>() + token * 5 + 5);
    const int64_t count = int64_t(members.size()) / 5;
    sum += item(loss_case.loss(Var(from_vector<double>({count, 5}, members)), one_group(count), 1).value());
  }
  const Tensor together = loss_case.loss(Var(rows), from_vector<int32_t>({23}, group_of), 3).value();
  CHECK_CLOSE(together, full({}, sum / 3, DType::f64), tolerance::kGoldenF64);
}

void check_uncounted_tokens(const RouterLossCase& loss_case) {
  const Tensor group_of = from_vector<int32_t>({4}, {0, -1, 0, -1});
  const Tensor rows = rows_for(loss_case, {4, 3});
  Tensor disturbed = clone(rows);
  for (const int64_t element : {3, 4, 5, 9}) disturbed.mutable_data<double>()[element] = NAN;
  const LossAndGradient calm = loss_and_gradient(loss_case, rows, group_of, 1),
                        wild = loss_and_gradient(loss_case, disturbed, group_of, 1);
  CHECK_SAME_BITS(calm.loss, wild.loss);
  CHECK_SAME_BITS(calm.gradient, wild.gradient);
  const std::vector<double> gradient = to_vector<double>(calm.gradient);
  for (const size_t element : {3, 4, 5, 9, 10, 11}) CHECK(gradient[element] == 0);

  const LossAndGradient nobody = loss_and_gradient(loss_case, rows, full({4}, -1, DType::i32), 2);
  CHECK(item(nobody.loss) == 0);
  CHECK_SAME_BITS(nobody.gradient, zeros({4, 3}, DType::f64));
}

void check_nan_shows(const RouterLossCase& loss_case) {
  Tensor rows = rows_for(loss_case, {4, 3});
  rows.mutable_data<double>()[7] = NAN;
  CHECK(std::isnan(item(loss_case.loss(Var(rows), one_group(4), 1).value())));
}

void check_refusals(const RouterLossCase& loss_case) {
  const auto run = [&](const Tensor& rows, const Tensor& group_of, int64_t groups) {
    return loss_case.loss(Var(rows), group_of, groups);
  };
  CHECK_THROWS_AS(run(zeros({4, 3}, DType::i32), one_group(4), 1), DTypeError);
  CHECK_THROWS_AS(run(zeros({4}), one_group(4), 1), ShapeError);
  CHECK_THROWS_AS(run(zeros({4, 0}), one_group(4), 1), ShapeError);
  CHECK_THROWS_AS(run(zeros({4, 3}), one_group(3), 1), ShapeError);
  CHECK_THROWS_AS(run(zeros({4, 3}), zeros({4}), 1), DTypeError);
  CHECK_THROWS_WITH_AS(run(zeros({2, 3}), from_vector<int32_t>({2}, {0, 1}), 1),
                       concatenate(loss_case.name, ": group_of holds 1 at [1]; expected -1..0").c_str(),
                       ValueError);
}

OpCase device_case_of(const RouterLossCase& loss_case, const Shape& shape,
                      const std::vector<int32_t>& group_of, int64_t groups) {
  const Tensor group = from_vector<int32_t>({int64_t(group_of.size())}, group_of);
  return {loss_case.name, {rows_for(loss_case, shape)}, [=](const Vars& in) {
            return loss_case.loss(in[0], beside(in[0], group), groups);
          }};
}

void check_nan_shows_on_device(const RouterLossCase& loss_case) {
  if (!device_under_test()) return;
  Tensor rows = to_dtype(rows_for(loss_case, {40, 3}), DType::f32);
  rows.mutable_data<float>()[7] = NAN;
  const Var x = leaf(to_device(rows, *device_under_test()));
  CHECK(std::isnan(item(loss_case.loss(x, beside(x, one_group(40)), 1).value())));
  std::vector<int32_t> uncounted(40);
  uncounted[2] = -1;
  const Tensor loss = loss_case.loss(x, beside(x, from_vector<int32_t>({40}, uncounted)), 1).value();
  CHECK(std::isfinite(item(loss)));
}

}  // namespace

void check_router_loss_on_device(const RouterLossCase& loss_case) {
  for (const int64_t tokens : {0, 1, 31, 33, 64, 129})
    check_device(device_case_of(loss_case, {tokens, 8}, groups_of_three(tokens), 3));
  for (const int64_t experts : {1, 2, 7, 32, 33, 70})
    check_device(device_case_of(loss_case, {65, experts}, groups_of_three(65), 3));
  check_device(device_case_of(loss_case, {6, 3}, std::vector<int32_t>(6), 4));  // three groups hold nobody
  check_device(device_case_of(loss_case, {33, 3}, std::vector<int32_t>(33, -1), 2));  // all do
  check_device(device_case_of(loss_case, {3, 3}, std::vector<int32_t>(3, -1), 0));
  // Tokens in several shares, statistics in more columns than a warp has lanes.
  for (const int64_t experts : {5, 40})
    check_device(device_case_of(loss_case, {600, experts}, groups_of_three(600), 3));
  check_nan_shows_on_device(loss_case);
}

LossAndGradient loss_and_gradient(const RouterLossCase& loss_case, const Tensor& rows, const Tensor& group_of,
                                  int64_t groups) {
  const Var x = leaf(rows);
  const Var loss = loss_case.loss(x, group_of, groups);
  backward(loss);
  return {loss.value(), x.gradient()};
}

void check_router_loss(const RouterLossCase& loss_case) {
  check_sizes(loss_case);
  check_groups_are_alone(loss_case);
  check_uncounted_tokens(loss_case);
  check_nan_shows(loss_case);
  check_refusals(loss_case);
}

void check_golden_loss(const std::string& prefix, const std::function<Var(const Var& logits)>& loss) {
  const Var x = leaf(golden(prefix + ".x"));
  const Var y = loss(x);
  backward(y);
  CHECK_CLOSE(y.value(), golden(prefix + ".y"), tolerance::kGoldenF64);
  CHECK_CLOSE(x.gradient(), golden(prefix + ".dx"), tolerance::kGoldenF64);
}

}  // namespace limoe::testing
