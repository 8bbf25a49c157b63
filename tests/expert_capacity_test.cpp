#include <doctest/doctest.h>

#include <cmath>

#include "ops/moe_route.h"
#include "tensor/error.h"

using namespace limoe;

TEST_CASE("expert_capacity: the public tables") {
  const auto ceil_to_4 = [](int64_t tokens, int64_t experts, double factor) {
    return expert_capacity(tokens, experts, {1, factor, CapacityRounding::ceil, 4, true});
  };
  CHECK(ceil_to_4(64, 32, 1.0) == 4);
  CHECK(ceil_to_4(128, 32, 2.0) == 8);
  CHECK(ceil_to_4(800, 8, 1.05) == 108);
  CHECK(ceil_to_4(3152, 8, 1.05) == 416);
  CHECK(ceil_to_4(1696, 32, 1.05) == 56);
  CHECK(expert_capacity(212, 32, {1, 1.05, CapacityRounding::round, 1, true}) == 7);
  CHECK(expert_capacity(100, 3, {1, 1.0, CapacityRounding::ceil, 1, true}) == 34);
  CHECK(expert_capacity(32, 32, {2, 1.0, CapacityRounding::ceil, 4, true}) == 4);  // K counts
}

TEST_CASE("expert_capacity: halves round to even, unlimited is the number of tokens, no tokens need none") {
  const auto rounded = [](int64_t tokens) {
    return expert_capacity(tokens, 2, {1, 1.0, CapacityRounding::round, 1, true});
  };
  CHECK(rounded(5) == 2);  // 2.5
  CHECK(rounded(7) == 4);  // 3.5
  CHECK(expert_capacity(37, 4, {2, 0.0}) == 37);
  CHECK(expert_capacity(0, 4, {}) == 0);
  CHECK_THROWS_WITH_AS(rounded(1),
                       "moe_route: the capacity of an expert is 0 of 1 tokens; expected 1 or more; raise the "
                       "capacity factor, now 1, or round up",
                       ValueError);
}

TEST_CASE("expert_capacity: options out of range are refused") {
  CHECK_THROWS_WITH_AS(expert_capacity(8, 2, {1, -1.0}),
                       "moe_route: capacity_factor is -1; expected 0 (unlimited) or more", ValueError);
  CHECK_THROWS_AS(expert_capacity(8, 2, {1, NAN}), ValueError);
  CHECK_THROWS_AS(expert_capacity(8, 2, {1, INFINITY}), ValueError);
  CHECK_THROWS_AS(expert_capacity(8, 2, {0}), ValueError);
  CHECK_THROWS_WITH_AS(expert_capacity(8, 2, {3}),
                       "moe_route: experts_per_token is 3; expected 1..2, the number of experts", ValueError);
  CHECK_THROWS_AS(expert_capacity(8, 2, {1, 1.0, CapacityRounding::ceil, 0}), ValueError);
  CHECK_THROWS_AS(expert_capacity(8, 0, {}), ValueError);
}
