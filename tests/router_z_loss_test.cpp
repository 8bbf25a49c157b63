#include "ops/router_z_loss.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/op_case.h"
#include "tests/support/router_loss_case.h"
#include "tests/support/routing_fixture.h"

using namespace limoe;
using namespace limoe::testing;

TEST_CASE("router_z_loss: gradient, groups, uncounted tokens, threads and refusals") {
  check_router_loss({"router_z_loss", router_z_loss});
}

TEST_CASE("router_z_loss: a device agrees on odd sizes, groups and uncounted tokens; NaN shows") {
  check_router_loss_on_device({"router_z_loss", router_z_loss});
}

TEST_CASE("router_z_loss: values worked out by hand") {
  const Tensor logits = from_vector<double>({3, 3}, {1, 2, 3, 0, 0, 0, -1, .5, 2});
  CHECK_CLOSE(router_z_loss_forward(logits, one_group(3), 1), full({}, 5.94740123, DType::f64),
              tolerance::printed(8));
}

TEST_CASE("router_z_loss: logits of +-1e4 stay finite") {
  const Tensor logits = from_vector<double>({2, 2}, {1e4, -1e4, -1e4, -1e4});
  const double low = -1e4 + std::log(2.0);
  CHECK_CLOSE(router_z_loss_forward(logits, one_group(2), 1), full({}, (1e8 + low * low) / 2, DType::f64),
              tolerance::kGoldenF64);
}

TEST_CASE("router_z_loss: agrees with PyTorch") {
  for (const std::string name : {"random", "collapsed", "one_row"})
    check_golden_loss("z_loss." + name,
                      [](const Var& logits) { return router_z_loss(logits, one_group(logits.dim(0)), 1); });
}
