#include "ops/local_entropy.h"

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

const RouterLossCase kLocal{"local_entropy", local_entropy};

// The loss of rows of probabilities, through their logarithms.
LossAndGradient of_probabilities(const std::vector<std::vector<double>>& rows) {
  std::vector<double> logits;
  for (const auto& row : rows)
    for (const double p : row) logits.push_back(std::log(p));
  const int64_t tokens = int64_t(rows.size()), experts = int64_t(rows[0].size());
  return loss_and_gradient(kLocal, from_vector<double>({tokens, experts}, logits), one_group(tokens), 1);
}

void check_loss(const std::vector<std::vector<double>>& rows, double wanted, int decimals = 8) {
  CHECK_CLOSE(of_probabilities(rows).loss, full({}, wanted, DType::f64), tolerance::printed(decimals));
}

}  // namespace

TEST_CASE("local_entropy: gradient, groups, uncounted tokens, threads and refusals") {
  check_router_loss(kLocal);
}

TEST_CASE("local_entropy: a device agrees on odd sizes, groups and uncounted tokens; NaN shows") {
  check_router_loss_on_device(kLocal);
}

TEST_CASE("local_entropy: values and gradients worked out by hand") {
  const std::vector<std::vector<double>> rows{{.7, .2, .1}, {.1, .8, .1}, {.25, .25, .5}};
  check_loss(rows, .82685706);
  CHECK_CLOSE(of_probabilities(rows).gradient,
              from_vector<double>({3, 3}, {-.10386684, .05384129, .05002555, .05545177, -.11090355, .05545177,
                                           .02888113, .02888113, -.05776227}),
              tolerance::printed(8));
  check_loss({{.5, .3, .1, .1}, {.6, .2, .1, .1}}, 1.12859121);
  check_loss({{.1, .1, .4, .4}, {.05, .05, .8, .1}, {.1, .2, .3, .4}}, 1.06058347);
}

TEST_CASE("local_entropy: sure tokens cost nothing, and neither does a probability of zero") {
  const LossAndGradient sure = of_probabilities({{1, 0, 0, 0}, {1, 0, 0, 0}});  // logits of minus infinity
  CHECK(item(sure.loss) == 0);
  CHECK_CLOSE(sure.gradient, zeros({2, 4}, DType::f64), tolerance::kExact);
  const LossAndGradient sharp =
      loss_and_gradient(kLocal, from_vector<double>({1, 3}, {1e4, 0, -1e4}), one_group(1), 1);
  CHECK(item(sharp.loss) == 0);
}

TEST_CASE("local_entropy: tells a text modality without preference from one that has made up its mind") {
  check_loss(std::vector<std::vector<double>>(4, {.28, .24, .24, .24}), 1.38395, 5);
  check_loss(std::vector<std::vector<double>>(4, {.97, .01, .01, .01}), .16770, 5);
}

TEST_CASE("local_entropy: agrees with PyTorch") {
  for (const std::string name : {"random", "collapsed", "one_row"})
    check_golden_loss("local_entropy." + name,
                      [](const Var& logits) { return local_entropy(logits, one_group(logits.dim(0)), 1); });
}
