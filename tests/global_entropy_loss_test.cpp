#include "ops/global_entropy_loss.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/op_case.h"
#include "tests/support/router_loss_case.h"
#include "tests/support/routing_fixture.h"

using namespace limoe;
using namespace limoe::testing;

namespace {

RouterLossCase global(double experts) {
  return {"global_entropy_loss", [=](const Var& logits, const Tensor& group_of, int64_t groups) {
            return global_entropy_loss(logits, std::log(experts), group_of, groups);
          }};
}

// The loss of rows of probabilities, through their logarithms, with the threshold log(experts).
LossAndGradient of_probabilities(const std::vector<std::vector<double>>& rows, double experts) {
  std::vector<double> logits;
  for (const auto& row : rows)
    for (const double p : row) logits.push_back(std::log(p));
  const int64_t tokens = int64_t(rows.size());
  return loss_and_gradient(global(experts), from_vector<double>({tokens, int64_t(rows[0].size())}, logits),
                           one_group(tokens), 1);
}

void check_loss(const std::vector<std::vector<double>>& rows, double experts, double wanted,
                int decimals = 8) {
  CHECK_CLOSE(of_probabilities(rows, experts).loss, full({}, wanted, DType::f64),
              tolerance::printed(decimals));
}

std::vector<std::vector<double>> four_of(const std::vector<double>& row) {
  return {row, row, row, row};
}

const std::vector<std::vector<double>> kRows{{.7, .2, .1}, {.1, .8, .1}, {.25, .25, .5}};

}  // namespace

TEST_CASE("global_entropy_loss: gradient, groups, uncounted tokens, threads and refusals") {
  check_router_loss(global(20));   // active everywhere
  check_router_loss(global(4.3));  // active in some groups
}

TEST_CASE("global_entropy_loss: a device agrees on odd sizes, groups and uncounted tokens; NaN shows") {
  check_router_loss_on_device(global(90));  // active everywhere
  check_router_loss_on_device(global(6));   // active in some cases and groups
}

TEST_CASE("global_entropy_loss: values and gradients worked out by hand") {
  check_loss(kRows, 2, 0);
  check_loss(kRows, 3, .02682888);
  check_loss(kRows, 4, .31451096);
  for (const double experts : {3, 4})
    CHECK_CLOSE(of_probabilities(kRows, experts).gradient,
                from_vector<double>({3, 3}, {.00132436, .01200195, -.01332631, -.00329787, .02011125,
                                             -.01681338, .01326202, .02779147, -.04105348}),
                tolerance::printed(8));
  // H of the mean is 1.13590096 and 1.16549167.
  check_loss({{.5, .3, .1, .1}, {.6, .2, .1, .1}}, 4, std::log(4.0) - 1.13590096);
  check_loss({{.1, .1, .4, .4}, {.05, .05, .8, .1}, {.1, .2, .3, .4}}, 4, std::log(4.0) - 1.16549167);
}

TEST_CASE("global_entropy_loss: a router collapsed onto one expert pays the whole threshold") {
  check_loss(four_of({1, 0, 0, 0}), 4, 1.38629436);
  const std::vector<std::vector<double>> two{{1, 0, 0, 0}, {0, 1, 0, 0}};
  check_loss(two, 2, 0);
  check_loss(two, 3, .40546511);
  check_loss(two, 4, .69314718);
}

TEST_CASE("global_entropy_loss: a step against the gradient spreads a collapsed router, not the reverse") {
  const Tensor logits = from_vector<double>({2, 3}, {4, 0, 0, 3.5, 0, 0.2});
  const LossAndGradient start = loss_and_gradient(global(3), logits, one_group(2), 1);
  Tensor moved = clone(logits);
  for (int64_t i = 0; i < 6; ++i) moved.mutable_data<double>()[i] -= 0.1 * start.gradient.data<double>()[i];
  CHECK(item(loss_and_gradient(global(3), moved, one_group(2), 1).loss) < item(start.loss));
  CHECK(start.gradient.data<double>()[0] > 0);
}

TEST_CASE("global_entropy_loss: at and below the threshold there is neither loss nor gradient") {
  for (const double threshold : {-1.0, 0.0, 0.5}) {
    const Var logits = leaf(normal({5, 3}));
    const Var loss = global_entropy_loss(logits, threshold, one_group(5), 1);
    CHECK(item(loss.value()) == 0);
  }
  // At the kink: one expert has entropy 0, which is the threshold.
  const LossAndGradient kink = loss_and_gradient(global(1), zeros({3, 1}, DType::f64), one_group(3), 1);
  CHECK(item(kink.loss) == 0);
  CHECK_SAME_BITS(kink.gradient, zeros({3, 1}, DType::f64));
  const LossAndGradient below = of_probabilities(kRows, 2);
  CHECK_SAME_BITS(below.gradient, zeros({3, 3}, DType::f64));
}

TEST_CASE("global_entropy_loss: soft spread hides hard collapse, and one sure expert shows") {
  check_loss(four_of({.28, .24, .24, .24}), 3, 0);
  check_loss(four_of({.97, .01, .01, .01}), 2, .52545, 5);
  check_loss(four_of({.97, .01, .01, .01}), 3, .93091, 5);
  check_loss(four_of({.97, .01, .01, .01}), 4, 1.21859, 5);
}

TEST_CASE("global_entropy_loss: agrees with PyTorch") {
  for (const std::string name : {"random", "collapsed", "one_row"})
    for (const std::string experts : {"2", "4"}) {
      const std::string prefix = "global_entropy." + name + "_" + experts;
      const double threshold = std::log(golden_setting(prefix + ".threshold"));
      check_golden_loss(prefix, [=](const Var& logits) {
        return global_entropy_loss(logits, threshold, one_group(logits.dim(0)), 1);
      });
    }
}
