#include "ops/priority_order.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

#include "tensor/random.h"

using namespace limoe;

namespace {

template <class T>
std::vector<int32_t> ordered(const std::vector<T>& priorities) {
  std::vector<int32_t> tokens(priorities.size());
  std::iota(tokens.begin(), tokens.end(), 0);
  sort_by_priority(priorities, tokens);
  return tokens;
}

template <class T>
std::vector<int32_t> by_comparisons(const std::vector<T>& priorities) {
  std::vector<int32_t> tokens(priorities.size());
  std::iota(tokens.begin(), tokens.end(), 0);
  std::stable_sort(tokens.begin(), tokens.end(),
                   [&](int32_t a, int32_t b) { return priorities[size_t(a)] > priorities[size_t(b)]; });
  return tokens;
}

template <class T>
void check_draws() {
  for (const size_t count : {0, 1, 2, 100, 5000}) {
    std::vector<T> priorities(count);
    for (size_t i = 0; i < count; ++i)
      priorities[i] = T(random_normal(3, 0, i)) * (i % 3 == 0 ? T(1e-30) : T(1));
    for (size_t i = 10; i < count; i += 7) priorities[i] = priorities[i - 3];  // equal ones
    CHECK(ordered(priorities) == by_comparisons(priorities));
  }
}

}  // namespace

TEST_CASE_TEMPLATE("priority_order: largest first, of equal ones the first token first", T, float, double) {
  using Limits = std::numeric_limits<T>;
  CHECK(ordered<T>({T(0.25), T(0.5), T(0.25), T(1), T(0.5)}) == std::vector<int32_t>{3, 1, 4, 0, 2});
  CHECK(ordered<T>({T(-0.0), T(0.0), T(-1), T(1), T(-0.0)}) == std::vector<int32_t>{3, 0, 1, 4, 2});
  CHECK(ordered<T>({-Limits::infinity(), Limits::denorm_min(), -Limits::denorm_min(), Limits::max(),
                    Limits::infinity(), Limits::lowest(), T(0)}) ==
        std::vector<int32_t>{4, 3, 1, 6, 2, 5, 0});
  check_draws<T>();
}
