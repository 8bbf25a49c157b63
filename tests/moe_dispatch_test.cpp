#include "ops/moe_dispatch.h"

#include <doctest/doctest.h>

#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/op_case.h"
#include "tests/support/routing_fixture.h"

using namespace limoe;
using namespace limoe::testing;

TEST_CASE("moe_dispatch: gradient, f32, views, threads and memory, with drops and padding") {
  for (const int64_t tokens : {0, 1, 13})
    for (const int64_t choices : {1, 2}) {
      const Routing routing =
          moe_route(normal({tokens, 3}), from_vector<int32_t>({tokens}, groups_of_three(tokens)), 3,
                    {choices, 0.6, CapacityRounding::ceil, 1, true});
      check_op({"moe_dispatch", {normal({tokens, 5})}, [=](const Vars& in) {
                  return moe_dispatch(in[0], routing);
                }});
    }
}

TEST_CASE("moe_dispatch: a device agrees on odd shapes, with drops, padding and rows nobody uses") {
  for (const int64_t tokens : {0, 1, 33, 65})
    for (const int64_t width : {1, 31, 64, 129}) {
      const Routing routing =
          moe_route(normal({tokens, 3}), from_vector<int32_t>({tokens}, groups_of_three(tokens)), 3,
                    {2, 0.6, CapacityRounding::ceil, 1, true});
      check_device({"moe_dispatch", {normal({tokens, width})}, [=](const Vars& in) {
                      return moe_dispatch(in[0], beside(in[0], routing));
                    }});
    }
}

TEST_CASE("moe_dispatch: rows lie expert by expert, unused rows are zero, dropped tokens get no gradient") {
  //                   expert of token:  1  0  1  1      capacity 2, array order: token 3 is dropped
  const Tensor probs = from_vector<double>({4, 2}, {0, 1, 1, 0, 0, 1, 0, 1});
  const Routing routing = moe_route(probs, one_group(4), 1, {1, 1.0, CapacityRounding::ceil, 1, false});
  const Tensor x = from_vector<double>({4, 1}, {10, 20, 30, 40});
  CHECK(to_vector<double>(moe_dispatch_forward(x, routing)) == std::vector<double>{20, 10, 30, 0});
  const Tensor drows = from_vector<double>({4, 1}, {1, 2, 3, 4});
  CHECK(to_vector<double>(moe_dispatch_backward(routing, drows)) == std::vector<double>{2, 1, 3, 0});
}

TEST_CASE("moe_dispatch: a routing of other tokens, or one with a wild index, is refused") {
  Routing routing = moe_route(zeros({4, 2}), one_group(4), 1, {});
  CHECK_THROWS_WITH_AS(
      moe_dispatch_forward(zeros({3, 2}), routing),
      "moe_dispatch: routing.row_of is [4, 1]; expected size 3 on axis 0 because there are 3 "
      "tokens",
      ShapeError);
  routing.choice_of.mutable_data<int32_t>()[1] = 4;
  CHECK_THROWS_WITH_AS(moe_dispatch_forward(zeros({4, 2}), routing),
                       "moe_dispatch: routing.choice_of holds 4 at element 1; expected -1..3", ValueError);
}
