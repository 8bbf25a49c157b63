#include "ops/importance_loss.h"

#include <doctest/doctest.h>

#include <cmath>

#include "ops/softmax.h"
#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/op_case.h"
#include "tests/support/router_loss_case.h"
#include "tests/support/routing_fixture.h"

using namespace limoe;
using namespace limoe::testing;

TEST_CASE("importance_loss: gradient, groups, uncounted tokens, threads and refusals") {
  check_router_loss({"importance_loss", importance_loss, true});
}

TEST_CASE("importance_loss: a device agrees on odd sizes, groups and uncounted tokens; NaN shows") {
  check_router_loss_on_device({"importance_loss", importance_loss, true});
}

TEST_CASE("importance_loss: the public example, sums 1.7, 1.1, 1.2") {
  const Tensor probs = from_vector<double>({4, 3}, {.5, .4, .1, .3, .3, .4, .1, .2, .7, .8, .2, 0});
  CHECK_CLOSE(importance_loss_forward(probs, one_group(4), 1), full({}, 0.03875, DType::f64),
              tolerance::kGoldenF64);
}

TEST_CASE(
    "importance_loss: 0 for an even spread, E - 1 when one expert takes all, blind to a lean minority") {
  CHECK(item(importance_loss_forward(full({5, 4}, 0.25, DType::f64), one_group(5), 1)) == 0);
  const Tensor one = from_vector<double>({2, 4}, {1, 0, 0, 0, 1, 0, 0, 0});
  CHECK_CLOSE(importance_loss_forward(one, one_group(2), 1), full({}, 3, DType::f64), tolerance::kGoldenF64);
  // Twelve image tokens over four experts and four text tokens that all prefer expert 0.
  const auto mixed = [](const std::vector<double>& text_row) {
    std::vector<double> probs;
    for (int token = 0; token < 12; ++token)
      for (int expert = 0; expert < 4; ++expert) probs.push_back(expert == token % 4 ? .94 : .02);
    for (int token = 0; token < 4; ++token) probs.insert(probs.end(), text_row.begin(), text_row.end());
    return importance_loss_forward(from_vector<double>({16, 4}, probs), one_group(16), 1);
  };
  CHECK_CLOSE(mixed({.28, .24, .24, .24}), full({}, 0.0003, DType::f64), tolerance::kGoldenF64);
  CHECK_CLOSE(mixed({.97, .01, .01, .01}), full({}, 0.1728, DType::f64), tolerance::kGoldenF64);
}

TEST_CASE("importance_loss: agrees with PyTorch through the softmax") {
  for (const std::string name : {"random", "collapsed", "one_row"})
    check_golden_loss("importance." + name, [](const Var& logits) {
      return importance_loss(softmax(logits), one_group(logits.dim(0)), 1);
    });
}
