#include "ops/mean_pool.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/golden_op.h"
#include "tests/support/op_case.h"

using namespace limoe;
using namespace limoe::testing;

namespace {

OpCase mean_pool_case(int64_t width, const Sequences& sequences, Tensor valid = {}) {
  return {"mean_pool", {normal({token_count(sequences), width})}, [=](const Vars& in) {
            return mean_pool(in[0], valid, sequences);
          }};
}

}  // namespace

TEST_CASE("mean_pool: gradient, f32, views, threads and memory, with padding and without") {
  check_op(mean_pool_case(5, {{2, 3}, {1, 4}}));
  check_op(mean_pool_case(33, {{1, 1}}));
  check_op(mean_pool_case(3, {{2, 2}, {0, 7}, {1, 0}}));
  check_op(mean_pool_case(3, {}));
  check_op(mean_pool_case(4, {{3, 3}}, from_vector<int32_t>({9}, {1, 0, 1, 0, 0, 0, 1, 1, 1})));
  CHECK(threads_agree(mean_pool_case(65, {{300, 5}, {200, 3}})).ok);
}

TEST_CASE("mean_pool: a device agrees, with padding and without") {
  check_device(mean_pool_case(5, {{2, 3}, {1, 4}}));
  check_device(mean_pool_case(33, {{1, 1}}));
  check_device(mean_pool_case(257, {{2, 2}, {0, 7}, {1, 0}}));
  check_device(mean_pool_case(3, {}));
  const Tensor valid = from_vector<int32_t>({9}, {1, 0, 1, 0, 0, 0, 1, 1, 1});
  check_device({"mean_pool", {normal({9, 4})}, [=](const Vars& in) {
                  return mean_pool(in[0], beside(in[0], valid), {{3, 3}});
                }});
}

TEST_CASE("mean_pool: a device agrees on more runs of sequences than one launch takes") {
  Sequences sequences;
  for (int64_t i = 0; i < 200; ++i) sequences.push_back({1 + i % 2, i % 4});
  check_device(mean_pool_case(3, sequences));
}

TEST_CASE("mean_pool: padding does not count, and a sequence of padding alone gives zeros") {
  const Tensor x = from_vector<double>({6, 1}, {1, 3, 100, 7, 8, 9});
  const Tensor valid = from_vector<int32_t>({6}, {1, 1, 0, 0, 0, 0});
  CHECK_SAME_BITS(mean_pool_forward(x, valid, {{2, 3}}), from_vector<double>({2, 1}, {2, 0}));
  CHECK_SAME_BITS(mean_pool_backward(valid, {{2, 3}}, from_vector<double>({2, 1}, {4, 5})),
                  from_vector<double>({6, 1}, {2, 2, 0, 0, 0, 0}));
}

TEST_CASE("mean_pool: NaN in padding is not seen, and elsewhere reaches its sequence alone") {
  const Tensor x = from_vector<double>({4, 1}, {1, NAN, NAN, 1}),
               valid = from_vector<int32_t>({4}, {1, 0, 1, 1});
  const std::vector<double> y = to_vector<double>(mean_pool_forward(x, valid, {{2, 2}}));
  CHECK(y[0] == 1.0);
  CHECK(std::isnan(y[1]));
}

TEST_CASE("mean_pool: rows that the sequences do not hold are refused by name") {
  CHECK_THROWS_WITH_AS(mean_pool_forward(zeros({5, 2}), {}, {{2, 3}}),
                       "mean_pool: x is [5, 2]; expected 6 rows because the sequences hold that many tokens",
                       ShapeError);
  CHECK_THROWS_WITH_AS(mean_pool_forward(zeros({6, 2}), zeros({6}), {{2, 3}}),
                       "mean_pool: valid is f32; expected i32", DTypeError);
}

TEST_CASE("mean_pool: agrees with an independent implementation, gradient included") {
  const auto golden = [](const char* name) { return golden_op("mean_pool.masked", name); };
  const Tensor x = golden("x").reshape({15, 4}), valid = golden("valid").reshape({15});
  CHECK_CLOSE(mean_pool_forward(x, valid, {{3, 5}}), golden("y"), tolerance::kGoldenF64);
  CHECK_CLOSE(mean_pool_backward(valid, {{3, 5}}, golden("dy")), golden("dx").reshape({15, 4}),
              tolerance::kGoldenF64);
}
