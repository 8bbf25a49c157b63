#include "ops/gshard_loss.h"

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

TEST_CASE("gshard_loss: gradient, groups, uncounted tokens, threads and refusals") {
  check_router_loss({"gshard_loss", gshard_loss, true});
}

TEST_CASE("gshard_loss: a device agrees on odd sizes, groups and uncounted tokens; NaN shows") {
  check_router_loss_on_device({"gshard_loss", gshard_loss, true});
}

TEST_CASE("gshard_loss: the public example, and ties go to the lower expert") {
  const Tensor probs = from_vector<double>({4, 3}, {.5, .4, .1, .3, .3, .4, .1, .2, .7, .8, .2, 0});
  CHECK_CLOSE(gshard_loss_forward(probs, one_group(4), 1), full({}, 1.0875, DType::f64),
              tolerance::kGoldenF64);
  // f = [1, 0], P = [.5, .5]: 2 * .5
  CHECK_CLOSE(gshard_loss_forward(full({3, 2}, 0.5, DType::f64), one_group(3), 1), full({}, 1, DType::f64),
              tolerance::kGoldenF64);
}

TEST_CASE("gshard_loss: agrees with PyTorch through the softmax") {
  for (const std::string name : {"random", "collapsed", "one_row"})
    check_golden_loss("gshard." + name, [](const Var& logits) {
      return gshard_loss(softmax(logits), one_group(logits.dim(0)), 1);
    });
}
