#include "data/epoch_order.h"

#include <doctest/doctest.h>

#include <limits>
#include <map>

#include "tensor/error.h"

namespace limoe {
namespace {

// How often an epoch visits each sample.
std::map<int64_t, int64_t> visits(const EpochOrder& order, int64_t epoch) {
  std::map<int64_t, int64_t> counts;
  for (int64_t position = 0; position < order.size(); ++position) ++counts[order.sample_at(epoch, position)];
  return counts;
}

}  // namespace

TEST_CASE("without factors an epoch visits every sample of every source once, in an order of its own") {
  const EpochOrder order({5, 40, 12}, {.seed = 3});
  REQUIRE(order.size() == 57);
  int64_t same = 0;
  for (int64_t epoch = 0; epoch < 3; ++epoch) {
    const std::map<int64_t, int64_t> counts = visits(order, epoch);
    CHECK(counts.size() == 57);
    CHECK(counts.rbegin()->first == 56);
  }
  for (int64_t position = 0; position < 57; ++position)
    same += order.sample_at(0, position) == order.sample_at(1, position);
  CHECK(same < 10);
}

TEST_CASE("without a shuffle samples come in their order") {
  const EpochOrder order({3, 4}, {.shuffle = false});
  for (int64_t position = 0; position < 7; ++position) CHECK(order.sample_at(5, position) == position);
}

TEST_CASE("a factor below 1 draws another part of its source in every epoch, none of it twice") {
  const EpochOrder order({10, 100}, {.factors = {1, 0.3}});
  REQUIRE(order.size() == 40);
  std::map<int64_t, int64_t> total;
  for (int64_t epoch = 0; epoch < 50; ++epoch)
    for (const auto& [sample, count] : visits(order, epoch)) {
      CHECK(count == 1);
      total[sample] += count;
    }
  CHECK(total.size() == 110);  // 0.7^50: none is left out for 50 epochs
  for (int64_t sample = 0; sample < 10; ++sample) CHECK(total[sample] == 50);
  for (int64_t sample = 10; sample < 110; ++sample) CHECK(total[sample] < 32);  // 15 expected, deviation 3.2
}

TEST_CASE("a factor above 1 repeats its source, and the rest of it is chosen anew") {
  const EpochOrder order({20, 10}, {.factors = {2.5, 1}});
  REQUIRE(order.size() == 60);
  const std::map<int64_t, int64_t> first = visits(order, 0), second = visits(order, 1);
  int64_t thrice = 0, differ = 0;
  for (int64_t sample = 0; sample < 20; ++sample) {
    thrice += first.at(sample) == 3;
    CHECK((first.at(sample) == 2 || first.at(sample) == 3));
    differ += first.at(sample) != second.at(sample);
  }
  CHECK(thrice == 10);
  CHECK(differ > 0);
  for (int64_t sample = 20; sample < 30; ++sample) CHECK(first.at(sample) == 1);
}

TEST_CASE("a factor so small that it rounds to nothing still draws one sample") {
  CHECK(EpochOrder({10, 10}, {.factors = {1, 0.001}}).size() == 11);
}

TEST_CASE("factors that are not one a source, or no positive numbers, are refused") {
  CHECK_THROWS_WITH_AS(EpochOrder({5, 5}, {.factors = {1}}),
                       "loader: there are 1 upsampling factors; expected one for each of 2 data sources",
                       ValueError);
  for (const double wrong : {0.0, -1.0, 1e16, std::numeric_limits<double>::quiet_NaN()})
    CHECK_THROWS_AS(EpochOrder({5}, {.factors = {wrong}}), ValueError);
}

}  // namespace limoe
