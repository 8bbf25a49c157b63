// moe_route on a device: every index of every table is the CPU's.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "ops/moe_combine.h"
#include "ops/moe_dispatch.h"
#include "ops/moe_route.h"
#include "ops/select_gates.h"
#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/device.h"
#include "tests/support/op_case.h"
#include "tests/support/routing_fixture.h"

#ifdef LIMOE_SIMULATED
#include "cuda/sim/block.h"
#endif

using namespace limoe;
using namespace limoe::testing;

namespace {

using Table = std::vector<int32_t>;

RouteOptions options(int64_t experts_per_token, double capacity_factor, bool batch_priority,
                     CapacityRounding rounding = CapacityRounding::ceil, int64_t multiple = 1) {
  return {experts_per_token, capacity_factor, rounding, multiple, batch_priority};
}

Tensor f32(const Tensor& tensor) {
  return to_dtype(tensor, DType::f32);
}

Routing on_device(const Tensor& probs, const Tensor& group_of, int64_t groups, const RouteOptions& route) {
  const Device device = *device_under_test();
  return moe_route(to_device(probs, device), to_device(group_of, device), groups, route);
}

std::string difference(const Routing& got, const Routing& wanted) {
  const auto compare = [](const char* table, const Tensor& a, const Tensor& b) -> std::string {
    const Comparison same = same_bits(a, b);
    return same.ok ? "" : std::string(table) + ": " + same.message;
  };
  return compare("expert_of", got.expert_of, wanted.expert_of) +
         compare("row_of", got.row_of, wanted.row_of) +
         compare("choice_of", got.choice_of, wanted.choice_of) +
         compare("row_begin", got.row_begin, wanted.row_begin);
}

void check_route(const Tensor& probs, const Table& group_of, int64_t groups, const RouteOptions& route) {
  const Tensor group = from_vector<int32_t>({int64_t(group_of.size())}, group_of);
  const std::string found =
      difference(on_device(probs, group, groups, route), moe_route(probs, group, groups, route));
  CHECK_MESSAGE(found.empty(), found, " for probs ", concatenate(probs.shape()), ", ",
                route.experts_per_token, " choices, factor ", route.capacity_factor, ", priority ",
                route.batch_priority);
}

// Probabilities of which many are equal: multiples of 1/8.
Tensor coarse(const Shape& shape) {
  Tensor probs = f32(uniform(shape, 0, 1));
  for (int64_t i = 0; i < probs.element_count(); ++i)
    probs.mutable_data<float>()[i] = std::round(8 * probs.data<float>()[i]) / 8;
  return probs;
}

}  // namespace

TEST_CASE("moe_route: on a device every table is the CPU's, on odd numbers of tokens") {
  if (!device_under_test()) return;
  for (const int64_t tokens : {0, 1, 31, 32, 33, 63, 64, 65, 127, 128, 129, 257})
    for (const bool priority : {false, true}) {
      const Table groups = groups_of_three(tokens);
      check_route(f32(uniform({tokens, 8}, 0, 1, uint64_t(tokens))), groups, 3, options(2, 1.05, priority));
      check_route(coarse({tokens, 4}), groups, 3, options(1, 0.7, priority));
    }
}

TEST_CASE("moe_route: on a device every table is the CPU's, for 1 to 33 experts and 1 to 3 choices") {
  if (!device_under_test()) return;
  for (const int64_t experts : {1, 2, 7, 8, 32, 33, 70})
    for (const int64_t choices : {1, 2, 3}) {
      if (choices > experts) continue;
      check_route(f32(normal({65, experts}, 3)), groups_of_three(65), 3, options(choices, 1.0, true));
      check_route(coarse({65, experts}), Table(65, 0), 1, options(choices, 0.5, true));
    }
}

TEST_CASE("moe_route: on a device capacities of every rounding, multiple and size are the CPU's") {
  if (!device_under_test()) return;
  const Tensor probs = f32(normal({100, 5}, 1));
  for (const double factor : {0.0, 0.3, 1.0, 1.05, 1.2, 5.0, 1e9, 1e300})
    for (const CapacityRounding rounding : {CapacityRounding::ceil, CapacityRounding::round})
      for (const int64_t multiple : {1, 4, 1000})
        check_route(probs, groups_of_three(100), 3, options(2, factor, true, rounding, multiple));
}

TEST_CASE("moe_route: on a device one expert takes all, with ties and without") {
  if (!device_under_test()) return;
  Tensor wish = zeros({257, 8});
  for (int64_t token = 0; token < 257; ++token) wish.mutable_data<float>()[token * 8 + 5] = 1;
  for (const bool priority : {false, true})
    for (const double factor : {0.0, 1.0}) {
      check_route(wish, Table(257, 0), 1, options(1, factor, priority));
      check_route(full({257, 8}, 0.125), groups_of_three(257), 3, options(2, factor, priority));
    }
}

TEST_CASE("moe_route: on a device zeros of both signs, infinities and negative numbers keep the order") {
  if (!device_under_test()) return;
  const float inf = std::numeric_limits<float>::infinity();
  const Tensor probs = from_vector<float>(
      {6, 3}, {-0.f, 0.f, -1.f, 0.f, -0.f, 1e-45f, -inf, -inf, -inf, inf, 1, inf, -2, -1e-45f, -3, 0, 0, 0});
  for (const bool priority : {false, true})
    for (const int64_t choices : {1, 3})
      check_route(probs, {0, 0, 0, 0, 0, 0}, 1, options(choices, 1.0, priority));
}

TEST_CASE("moe_route: on a device nobody is routed, groups are empty, and groups are many") {
  if (!device_under_test()) return;
  check_route(f32(normal({33, 2})), Table(33, -1), 0, {});
  check_route(f32(normal({33, 2})), Table(33, -1), 2, {});
  check_route(f32(normal({33, 2})), Table(33, 3), 5, {});
  Table many(129);
  for (size_t token = 0; token < many.size(); ++token) many[token] = int32_t(token * 37 % 300);
  check_route(f32(normal({129, 8})), many, 300, options(2, 1.0, true));
}

TEST_CASE(
    "moe_route: on a device a group or a row out of range counts as none, and nothing is written there") {
  if (!device_under_test()) return;
  const Tensor probs = f32(normal({5, 3})), x = f32(normal({5, 4}));
  const Routing wild = on_device(probs, from_vector<int32_t>({5}, {0, 2, -1, 1, -7}), 2, options(1, 0, true)),
                tame =
                    on_device(probs, from_vector<int32_t>({5}, {0, -1, -1, 1, -1}), 2, options(1, 0, true));
  CHECK(difference(wild, tame).empty());
  const Device device = *device_under_test();
  const Table places{0, 99, -5, 3, 2000000000};
  Routing broken = tame, unused = tame;
  broken.choice_of = broken.row_of = from_vector<int32_t>({5}, places, device);
  broken.row_of = broken.row_of.reshape({5, 1});
  unused.choice_of = from_vector<int32_t>({5}, {0, -1, -1, 3, -1}, device);
  unused.row_of = unused.choice_of.reshape({5, 1});
  const Tensor there = to_device(x, device), gates = to_device(full({5, 1}, 0.5), device);
  CHECK_SAME_BITS(moe_dispatch_forward(there, broken), moe_dispatch_forward(there, unused));
  CHECK_SAME_BITS(moe_dispatch_backward(broken, there), moe_dispatch_backward(unused, there));
  CHECK_SAME_BITS(moe_combine_forward(there, gates, broken), moe_combine_forward(there, gates, unused));
  CHECK_SAME_BITS(moe_combine_backward_rows(gates, broken, there),
                  moe_combine_backward_rows(gates, unused, there));
  CHECK_SAME_BITS(moe_combine_backward_gates(there, broken, there, DType::f32),
                  moe_combine_backward_gates(there, unused, there, DType::f32));
}

TEST_CASE("moe_route: on a device a capacity below 1 keeps nothing, for it cannot be refused there") {
  if (!device_under_test()) return;
  const Routing routing =
      on_device(f32(normal({4, 8})), one_group(4), 1, options(1, 0.5, true, CapacityRounding::round));
  CHECK(to_vector<int32_t>(routing.row_of) == Table(4, kDropped));
  CHECK(to_vector<int32_t>(routing.choice_of) == Table(4, -1));
  CHECK(to_vector<int32_t>(routing.row_begin) == Table(9, 0));
}

TEST_CASE("moe_route: on a device a NaN is served first and shows in the gates") {
  if (!device_under_test()) return;
  const Tensor probs = from_vector<float>({4, 2}, {1, 0, .9f, .1f, .2f, NAN, .1f, .9f});
  const Routing routing = on_device(probs, one_group(4), 1, options(1, 0.5, true));
  CHECK(to_vector<int32_t>(routing.expert_of) == Table{0, 0, 1, 1});
  CHECK(to_vector<int32_t>(routing.row_of) == Table{0, kDropped, 1, kDropped});
  const Tensor gates = select_gates_forward(to_device(probs, *device_under_test()), routing.expert_of);
  CHECK(std::isnan(to_vector<double>(gates)[2]));
}

TEST_CASE("moe_route: a table on another device than the probabilities is refused") {
  if (!device_under_test()) return;
  CHECK_THROWS_AS(moe_route(to_device(zeros({3, 2}), *device_under_test()), one_group(3), 1, {}),
                  DeviceError);
}

TEST_CASE("moe_route: counts of a routing on a device are the CPU's") {
  if (!device_under_test()) return;
  const Tensor probs = f32(normal({40, 5})), group = from_vector<int32_t>({40}, groups_of_three(40));
  const RouteOptions route = options(2, 0.6, true);
  const RoutingCounts here = count_routing(moe_route(probs, group, 3, route), group),
                      there = count_routing(on_device(probs, group, 3, route), group);
  CHECK(here.chosen == there.chosen);
  CHECK(here.kept == there.kept);
}

#ifdef LIMOE_SIMULATED
TEST_CASE("moe_route: the order of lanes changes nothing") {
  using cuda::sim::LaneOrder;
  const LaneOrder order = cuda::sim::lane_order();
  for (const LaneOrder other : {LaneOrder::reverse, LaneOrder::shuffled}) {
    cuda::sim::set_lane_order(other, 5);
    check_route(coarse({129, 7}), groups_of_three(129), 3, options(2, 0.8, true));
    cuda::sim::set_lane_order(order);
  }
}
#endif
