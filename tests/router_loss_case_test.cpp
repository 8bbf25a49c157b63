// The common check of router losses, fed losses that are wrong in one way each: every case here has to fail.
#include "tests/support/router_loss_case.h"

#include <doctest/doctest.h>

#include "ops/router_z_loss.h"
#include "ops/scale.h"
#include "tensor/factory.h"
#include "tests/support/routing_fixture.h"

namespace limoe {
namespace {

using testing::check_router_loss;

// router_z_loss, its arguments bent by `bend` before it sees them.
template <class Bend>
testing::RouterLossCase bent(const Bend& bend) {
  return {"router_z_loss", [=](const Var& rows, Tensor group_of, int64_t groups) {
            bend(group_of, groups);
            return router_z_loss(rows, group_of, groups);
          }};
}

}  // namespace

TEST_CASE("the check of router losses passes a right one") {
  check_router_loss(bent([](Tensor&, int64_t&) {}));
}

TEST_CASE("the check of router losses fails one that takes all groups for one" * doctest::should_fail()) {
  check_router_loss(bent([](Tensor& group_of, int64_t& groups) {
    if (groups != 3) return;
    groups = 1;
    Tensor merged = clone(group_of);
    for (int64_t i = 0; i < merged.element_count(); ++i)
      if (merged.data<int32_t>()[i] > 0) merged.mutable_data<int32_t>()[i] = 0;
    group_of = merged;
  }));
}

TEST_CASE("the check of router losses fails one that counts what is not to be counted" *
          doctest::should_fail()) {
  check_router_loss(bent([](Tensor& group_of, int64_t&) {
    Tensor counted = clone(group_of);
    for (int64_t i = 0; i < counted.element_count(); ++i)
      if (counted.data<int32_t>()[i] < 0) counted.mutable_data<int32_t>()[i] = 0;
    group_of = counted;
  }));
}

TEST_CASE("the check of router losses fails one whose sum over groups is no mean" * doctest::should_fail()) {
  check_router_loss({"router_z_loss", [](const Var& rows, const Tensor& group_of, int64_t groups) {
                       return scale(router_z_loss(rows, group_of, groups), double(groups));
                     }});
}

}  // namespace limoe
