#include "ops/moe_route.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tensor/error.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"
#include "tests/support/golden_ops.h"
#include "tests/support/op_case.h"
#include "tests/support/routing_fixture.h"

using namespace limoe;
using namespace limoe::testing;

namespace {

using Table = std::vector<int32_t>;

// K choices a token, no multiple, one group.
RouteOptions options(int64_t experts_per_token, double capacity_factor, bool batch_priority) {
  return {experts_per_token, capacity_factor, CapacityRounding::ceil, 1, batch_priority};
}

void check_same_routing(const Routing& a, const Routing& b) {
  CHECK_SAME_BITS(a.expert_of, b.expert_of);
  CHECK_SAME_BITS(a.row_of, b.row_of);
  CHECK_SAME_BITS(a.choice_of, b.choice_of);
  CHECK_SAME_BITS(a.row_begin, b.row_begin);
}

// What moe_route promises, checked by counting: returns the first promise that is broken.
std::string broken_promise(const Routing& routing, const Table& group_of, int64_t groups,
                           const RouteOptions& route) {
  const Table expert_of = to_vector<int32_t>(routing.expert_of), row_of = to_vector<int32_t>(routing.row_of),
              choice_of = to_vector<int32_t>(routing.choice_of),
              row_begin = to_vector<int32_t>(routing.row_begin);
  const int64_t choices = route.experts_per_token, experts = int64_t(row_begin.size()) - 1;
  std::vector<std::vector<int64_t>> chosen(groups, std::vector<int64_t>(experts)), kept = chosen;
  std::vector<int64_t> tokens(groups);
  for (size_t token = 0; token < group_of.size(); ++token) {
    if (group_of[token] >= 0) ++tokens[group_of[token]];
    for (int64_t choice = token * choices; choice < int64_t(token + 1) * choices; ++choice) {
      const int32_t expert = expert_of[choice], row = row_of[choice];
      if (group_of[token] < 0 && (expert != -1 || row != kDropped)) return "an unrouted token has a place";
      if (group_of[token] < 0) continue;
      ++chosen[group_of[token]][expert];
      if (row == kDropped) continue;
      ++kept[group_of[token]][expert];
      if (choice_of[row] != choice) return "choice_of does not lead back";
      if (row < row_begin[expert] || row >= row_begin[expert + 1]) return "a row outside its expert's";
    }
  }
  int64_t used = 0;
  for (int64_t group = 0; group < groups; ++group)
    for (int64_t expert = 0; expert < experts; ++expert) {
      const int64_t capacity = expert_capacity(tokens[group], experts, route);
      if (kept[group][expert] != std::min(capacity, chosen[group][expert])) return "a wrong number kept";
      used += kept[group][expert];
    }
  if (row_begin[0] != 0 || row_begin[experts] != used) return "row_begin does not span the used rows";
  for (size_t row = 0; row < choice_of.size(); ++row)
    if ((choice_of[row] >= 0) != (int64_t(row) < used)) return "a hole, or a row used past the end";
  return "";
}

}  // namespace

TEST_CASE("moe_route: the public example of three tokens, two choices each, capacity 2") {
  const Tensor probs = from_vector<double>({3, 3}, {.4, 0, .2, .5, .1, .4, .3, .2, .6});
  const Tensor group = one_group(3);
  // (expert, slot), slot 2 is dropped: (0,0) (2,1) | (0,1) (2,dropped) | (2,0) (0,dropped)
  const Routing vanilla = moe_route(probs, group, 1, options(2, 1.0, false));
  CHECK(to_vector<int32_t>(vanilla.expert_of) == Table{0, 2, 0, 2, 2, 0});
  CHECK(to_vector<int32_t>(vanilla.row_begin) == Table{0, 2, 2, 4});
  CHECK(to_vector<int32_t>(vanilla.row_of) == Table{0, 3, 1, kDropped, 2, kDropped});
  CHECK(to_vector<int32_t>(vanilla.choice_of) == Table{0, 2, 4, 1, -1, -1});
  // (0,1) (2,dropped) | (0,0) (2,1) | (2,0) (0,dropped)
  const Routing bpr = moe_route(probs, group, 1, options(2, 1.0, true));
  CHECK(to_vector<int32_t>(bpr.expert_of) == Table{0, 2, 0, 2, 2, 0});
  CHECK(to_vector<int32_t>(bpr.row_of) == Table{1, kDropped, 0, 3, 2, kDropped});
  CHECK(to_vector<int32_t>(bpr.choice_of) == Table{2, 0, 4, 3, -1, -1});
}

TEST_CASE("moe_route: batch priority drops the least sure tokens, array order the last ones") {
  const Tensor probs = from_vector<double>({6, 3}, {.6, .2, .2, .55, .25, .2, .1, .8, .1,  //
                                                    .5, .3, .2, .34, .33, .33, .9, .05, .05});
  const Routing vanilla = moe_route(probs, one_group(6), 1, options(1, 1.0, false));
  CHECK(to_vector<int32_t>(vanilla.expert_of) == Table{0, 0, 1, 0, 0, 0});
  CHECK(to_vector<int32_t>(vanilla.row_of) == Table{0, 1, 2, kDropped, kDropped, kDropped});
  const Routing bpr = moe_route(probs, one_group(6), 1, options(1, 1.0, true));
  CHECK(to_vector<int32_t>(bpr.row_of) == Table{1, kDropped, 2, kDropped, kDropped, 0});
}

TEST_CASE("moe_route: equal probabilities choose the lower expert and keep array order") {
  const Tensor probs = from_vector<double>({3, 3}, {.5, .5, 0, .5, .5, 0, .5, .5, 0});
  for (const bool priority : {false, true}) {
    const Routing one = moe_route(probs, one_group(3), 1, options(1, 0, priority));
    CHECK(to_vector<int32_t>(one.expert_of) == Table{0, 0, 0});
    CHECK(to_vector<int32_t>(one.row_of) == Table{0, 1, 2});
    const Routing two = moe_route(probs, one_group(3), 1, options(2, 0, priority));
    CHECK(to_vector<int32_t>(two.expert_of) == Table{0, 1, 0, 1, 0, 1});
    CHECK(to_vector<int32_t>(two.row_of) == Table{0, 3, 1, 4, 2, 5});
  }
}

TEST_CASE("moe_route: all first choices are placed before any second choice") {
  // Token 0 is surest, yet its second choice (expert 1) comes after token 1's first. Capacity 1.
  const Tensor probs = from_vector<double>({2, 2}, {.9, .1, .4, .6});
  const Routing routing = moe_route(probs, one_group(2), 1, options(2, 0.5, true));
  CHECK(to_vector<int32_t>(routing.row_of) == Table{0, kDropped, 1, kDropped});
}

TEST_CASE("moe_route: groups are routed alone and packed expert by expert, then by group") {
  // Tokens 0, 2, 4 are group 1; 1, 3 are group 0; 5 is padding that prefers expert 0 most of all.
  const Tensor probs = from_vector<double>({6, 2}, {.6, .4, .7, .3, .8, .2, .9, .1, .3, .7, 1, 0});
  const Tensor group_of = from_vector<int32_t>({6}, {1, 0, 1, 0, 1, -1});
  // Capacities: group 0 has 2 tokens, ceil(2 / 2) = 1; group 1 has 3, ceil(3 / 2) = 2.
  const Routing routing = moe_route(probs, group_of, 2, options(1, 1.0, true));
  CHECK(to_vector<int32_t>(routing.expert_of) == Table{0, 0, 0, 0, 1, -1});
  CHECK(to_vector<int32_t>(routing.row_begin) == Table{0, 3, 4});
  CHECK(to_vector<int32_t>(routing.row_of) == Table{2, kDropped, 1, 0, 3, kDropped});
  CHECK(to_vector<int32_t>(routing.choice_of) == Table{3, 2, 0, 4, -1, -1});
}

TEST_CASE("moe_route: a group's decisions do not depend on the other groups") {
  const Tensor a = normal({20, 5}, 1), b = normal({31, 5}, 2);
  std::vector<double> both = to_vector<double>(a);
  for (const double value : to_vector<double>(b)) both.push_back(value);
  Table groups(51, 0);
  std::fill(groups.begin() + 20, groups.end(), 1);
  const RouteOptions route = options(2, 0.8, true);
  const Routing alone_a = moe_route(a, one_group(20), 1, route),
                alone_b = moe_route(b, one_group(31), 1, route);
  const Routing together =
      moe_route(from_vector<double>({51, 5}, both), from_vector<int32_t>({51}, groups), 2, route);
  const auto kept = [](const Routing& routing, int64_t choice) {
    return to_vector<int32_t>(routing.row_of)[choice] != kDropped;
  };
  for (int64_t choice = 0; choice < 40; ++choice) CHECK(kept(together, choice) == kept(alone_a, choice));
  for (int64_t choice = 0; choice < 62; ++choice) CHECK(kept(together, choice + 40) == kept(alone_b, choice));
}

TEST_CASE("moe_route: promises hold for many sizes, factors and orders") {
  for (const int64_t tokens : {1, 2, 17, 100})
    for (const int64_t experts : {1, 3, 8})
      for (const int64_t choices : {1, 2, 3})
        for (const double factor : {0.0, 0.3, 1.0, 1.05, 50.0})
          for (const bool priority : {false, true}) {
            if (choices > experts) continue;
            const RouteOptions route = options(choices, factor, priority);
            const Table groups = groups_of_three(tokens);
            const Routing routing = moe_route(normal({tokens, experts}, uint64_t(tokens)),
                                              from_vector<int32_t>({tokens}, groups), 3, route);
            const std::string broken = broken_promise(routing, groups, 3, route);
            CHECK_MESSAGE(broken.empty(), broken, " for ", tokens, " tokens, ", experts, " experts, ",
                          choices, " choices, factor ", factor);
          }
}

TEST_CASE("moe_route: the check of promises notices a broken table") {
  const RouteOptions route = options(1, 0, true);
  Routing routing = moe_route(normal({5, 3}), one_group(5), 1, route);
  CHECK(broken_promise(routing, Table(5, 0), 1, route).empty());
  routing.row_of.mutable_data<int32_t>()[2] = kDropped;
  CHECK(!broken_promise(routing, Table(5, 0), 1, route).empty());
}

TEST_CASE("moe_route: no tokens, one token, nobody routed, and a full buffer") {
  const Routing none = moe_route(zeros({0, 4}), one_group(0), 1, {});
  CHECK(none.choice_of.shape() == Shape{0});
  CHECK(to_vector<int32_t>(none.row_begin) == Table{0, 0, 0, 0, 0});
  const Routing one = moe_route(from_vector<double>({1, 2}, {.2, .8}), one_group(1), 1, {});
  CHECK(to_vector<int32_t>(one.row_begin) == Table{0, 0, 1});
  const Routing padding = moe_route(normal({3, 2}), full({3}, -1, DType::i32), 0, {});
  CHECK(to_vector<int32_t>(padding.row_begin) == Table{0, 0, 0});
  CHECK(to_vector<int32_t>(padding.expert_of) == Table{-1, -1, -1});
  // Four tokens want expert 0, whose capacity is exactly four.
  const Tensor wish = from_vector<double>({4, 2}, {1, 0, 1, 0, 1, 0, 1, 0});
  const Routing exact = moe_route(wish, one_group(4), 1, options(1, 2.0, true));
  CHECK(to_vector<int32_t>(exact.row_of) == Table{0, 1, 2, 3});
  CHECK(to_vector<int32_t>(moe_route(wish, one_group(4), 1, options(1, 1.5, true)).row_of) ==
        Table{0, 1, 2, kDropped});
}

TEST_CASE("moe_route: capacity that drops nothing is the dropless routing, on any number of threads") {
  const Tensor probs = to_dtype(normal({5000, 8}), DType::f32);
  const int threads = thread_count();
  set_thread_count(1);
  const Routing dropless = moe_route(probs, one_group(5000), 1, options(2, 0, true));
  for (const int count : {1, 2, 3}) {
    set_thread_count(count);
    check_same_routing(moe_route(probs, one_group(5000), 1, options(2, 4.0, true)), dropless);
  }
  set_thread_count(threads);
}

TEST_CASE("moe_route: agrees with an independent routing, slot by slot") {
  for (const std::string name : {"k1", "k2", "k3", "ties"})
    for (const std::string order : {"priority", "array"}) {
      const std::string prefix = "routing." + name + "_" + order;
      const Tensor gates = golden(prefix + ".gates");
      const int64_t choices = int64_t(golden_setting(prefix + ".top_k")), tokens = gates.dim(0);
      const int64_t capacity = int64_t(golden_setting(prefix + ".capacity"));
      // The factor that rounds to this capacity.
      const double factor = double(capacity * gates.dim(1)) / double(tokens * choices);
      const Routing routing = moe_route(gates, one_group(tokens), 1,
                                        {choices, factor, CapacityRounding::round, 1, order == "priority"});
      CHECK_SAME_BITS(routing.expert_of, golden(prefix + ".expert"));
      const Table slots = to_vector<int32_t>(golden(prefix + ".slot")),
                  experts = to_vector<int32_t>(routing.expert_of), rows = to_vector<int32_t>(routing.row_of),
                  row_begin = to_vector<int32_t>(routing.row_begin);
      for (size_t choice = 0; choice < slots.size(); ++choice)
        CHECK(rows[choice] ==
              (slots[choice] < capacity ? row_begin[experts[choice]] + slots[choice] : kDropped));
    }
}

TEST_CASE("moe_route: soft balance does not show that three of four text tokens are dropped") {
  // Twelve image tokens cycle over four experts; four text tokens all lean a little to expert 0.
  std::vector<double> probs;
  for (int token = 0; token < 12; ++token)
    for (int expert = 0; expert < 4; ++expert) probs.push_back(expert == token % 4 ? .94 : .02);
  for (int token = 0; token < 4; ++token) probs.insert(probs.end(), {.28, .24, .24, .24});
  for (const bool priority : {false, true}) {
    const Routing routing =
        moe_route(from_vector<double>({16, 4}, probs), one_group(16), 1, options(1, 1.0, priority));
    Table text(16, -1);
    std::fill(text.begin() + 12, text.end(), 0);
    const RoutingCounts counts = count_routing(routing, from_vector<int32_t>({16}, text));
    CHECK(counts.chosen == std::vector<int64_t>{4, 0, 0, 0});
    CHECK(counts.kept == std::vector<int64_t>{1, 0, 0, 0});
    const RoutingCounts all = count_routing(routing, one_group(16));
    CHECK(all.chosen == std::vector<int64_t>{7, 3, 3, 3});
    CHECK(all.total_chosen == 16);
    CHECK(all.total_kept == 13);
    CHECK(to_vector<int32_t>(routing.row_of)[12] == 3);
  }
}

TEST_CASE("moe_route: sure text tokens take the places of image tokens") {
  std::vector<double> probs;
  for (int token = 0; token < 12; ++token)
    for (int expert = 0; expert < 4; ++expert) probs.push_back(expert == token % 4 ? .94 : .02);
  for (int token = 0; token < 4; ++token) probs.insert(probs.end(), {.97, .01, .01, .01});
  const Table rows = to_vector<int32_t>(
      moe_route(from_vector<double>({16, 4}, probs), one_group(16), 1, options(1, 1.0, true)).row_of);
  for (int token = 0; token < 16; ++token)
    CHECK((rows[token] == kDropped) == (token == 0 || token == 4 || token == 8));
}

TEST_CASE("moe_route: a NaN is refused by token, unless that token is not routed") {
  const Tensor probs = from_vector<double>({3, 2}, {.5, .5, .1, .9, NAN, 1});
  CHECK_THROWS_WITH_AS(moe_route(probs, one_group(3), 1, {}),
                       "moe_route: probs of token 2 hold a NaN; expected numbers, for a NaN has no place in "
                       "an order",
                       ValueError);
  const Routing routing = moe_route(probs, from_vector<int32_t>({3}, {0, 0, -1}), 1, {});
  CHECK(to_vector<int32_t>(routing.row_begin) == Table{0, 1, 2});
}

TEST_CASE("moe_route: arguments that do not fit are refused by name") {
  CHECK_THROWS_WITH_AS(moe_route(zeros({3, 2}), one_group(4), 1, {}),
                       "moe_route: group_of is [4]; expected [3] because probs is [3, 2]", ShapeError);
  CHECK_THROWS_WITH_AS(moe_route(zeros({2, 2}), from_vector<int32_t>({2}, {0, 2}), 2, {}),
                       "moe_route: group_of holds 2 at [1]; expected -1..1", ValueError);
  CHECK_THROWS_AS(moe_route(zeros({2, 2}), zeros({2}), 1, {}), DTypeError);
  CHECK_THROWS_AS(moe_route(zeros({2, 2}, DType::i32), one_group(2), 1, {}), DTypeError);
  CHECK_THROWS_AS(moe_route(zeros({2, 2}), one_group(2), 1, {3}), ValueError);
  CHECK_THROWS_AS(moe_route(zeros({2}), one_group(2), 1, {}), ShapeError);
  CHECK_THROWS_AS(count_routing(moe_route(zeros({2, 2}), one_group(2), 1, {}), one_group(3)), ShapeError);
}
