#include "ops/embedding.h"

#include <doctest/doctest.h>

#include <cmath>
#include <optional>

#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/device.h"
#include "tests/support/golden_op.h"
#include "tests/support/op_case.h"

using namespace limoe;
using namespace limoe::testing;

namespace {

OpCase embedding_case(const Shape& table, const Tensor& ids) {
  return {"embedding", {normal(table)}, [ids](const Vars& in) { return embedding(in[0], ids); }};
}

}  // namespace

TEST_CASE(
    "embedding: gradient, f32, views, threads and memory; repeated, absent and no ids; ids of any rank") {
  check_op(embedding_case({7, 5}, from_vector<int32_t>({7}, {3, 0, 3, 6, 3, 0, 1})));
  check_op(embedding_case({3, 33}, from_vector<int32_t>({2, 2}, {2, 2, 0, 2})));
  check_op(embedding_case({1, 1}, from_vector<int32_t>({}, {0})));
  check_op(embedding_case({4, 3}, zeros({0, 2}, DType::i32)));
  check_op(embedding_case({0, 3}, zeros({0}, DType::i32)));
}

TEST_CASE("embedding: a device agrees on repeated, absent and no ids, and on rows that lie in many runs") {
  const auto check = [](const Shape& table, const Tensor& ids) {
    check_device({"embedding", {normal(table)}, [ids](const Vars& in) {
                    return embedding(in[0], beside(in[0], ids));
                  }});
  };
  check({7, 5}, from_vector<int32_t>({7}, {3, 0, 3, 6, 3, 0, 1}));
  check({3, 32}, from_vector<int32_t>({2, 2}, {2, 2, 0, 2}));
  check({1, 1}, from_vector<int32_t>({}, {0}));
  check({4, 3}, zeros({0, 2}, DType::i32));
  check({0, 3}, zeros({0}, DType::i32));
  std::vector<int32_t> ids;
  for (int i = 0; i < 400; ++i) ids.push_back(i % 3 == 0 ? 5 : i * i % 9 + 250 * (i % 2));
  check({300, 8}, from_vector<int32_t>({400}, ids));
  check({1, 129}, zeros({130}, DType::i32));
}

TEST_CASE("embedding: on a device an id outside the table gives NaN and no gradient") {
  const std::optional<Device> device = device_under_test();
  if (!device) return;
  const Tensor ids = from_vector<int32_t>({4}, {1, -1, 2, 1}, *device);
  const std::vector<float> y = to_vector<float>(embedding_forward(to_device(full({2, 1}, 7), *device), ids));
  CHECK(y[0] == 7.0f);
  CHECK(std::isnan(y[1]));
  CHECK(std::isnan(y[2]));
  CHECK_SAME_BITS(to_device(embedding_backward({2, 1}, ids, to_device(full({4, 1}, 3), *device)), {}),
                  from_vector<float>({2, 1}, {0, 6}));
}

TEST_CASE("embedding: two thousand places have the same bits on any number of threads") {
  std::vector<int32_t> ids;
  for (int i = 0; i < 2000; ++i) ids.push_back(i * i % 97);
  CHECK(threads_agree(embedding_case({500, 65}, from_vector<int32_t>({40, 50}, ids))).ok);
}

TEST_CASE("embedding: ids may be a view") {
  const Tensor ids = from_vector<int32_t>({2, 2}, {0, 1, 2, 3}), table = normal({4, 3});
  const Tensor y = embedding_forward(table, ids.transpose(0, 1));
  CHECK_SAME_BITS(y, embedding_forward(table, from_vector<int32_t>({2, 2}, {0, 2, 1, 3})));
  CHECK_SAME_BITS(y.slice(0, 0, 1).slice(1, 1, 2), table.slice(0, 2, 3).reshape({1, 1, 3}));
}

TEST_CASE("embedding: an id outside the table is named with its place, and float ids are refused") {
  const Tensor table = zeros({4, 3});
  CHECK_THROWS_WITH_AS(embedding_forward(table, from_vector<int32_t>({2, 2}, {0, 1, 4, 0})),
                       "embedding: ids holds 4 at [1, 0]; expected 0..3 because the table has 4 rows",
                       ValueError);
  CHECK_THROWS_WITH_AS(embedding_forward(table, from_vector<int32_t>({1}, {-1})),
                       "embedding: ids holds -1 at [0]; expected 0..3 because the table has 4 rows",
                       ValueError);
  CHECK_THROWS_WITH_AS(embedding_forward(table, zeros({2})), "embedding: ids is f32; expected i32",
                       DTypeError);
  CHECK_THROWS_WITH_AS(embedding_forward(zeros({4}), zeros({2}, DType::i32)),
                       "embedding: table is [4]; expected rank 2", ShapeError);
}

TEST_CASE("embedding: agrees with PyTorch, gradient included") {
  check_golden("embedding.repeated", {"table"},
               [](const Vars& in) { return embedding(in[0], golden_op("embedding.repeated", "ids")); });
}
