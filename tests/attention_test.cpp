#include "ops/attention.h"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <optional>

#include "autograd/backward.h"
#include "ops/concat.h"
#include "ops/matmul.h"
#include "ops/reshape.h"
#include "ops/scale.h"
#include "ops/slice.h"
#include "ops/softmax.h"
#include "ops/transpose.h"
#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/device.h"
#include "tests/support/golden_op.h"
#include "tests/support/op_case.h"

using namespace limoe;
using namespace limoe::testing;

namespace {

OpCase attention_case(int64_t heads, int64_t head_width, const Sequences& sequences, Tensor valid = {}) {
  return {"attention", {normal({token_count(sequences), 3 * heads * head_width})}, [=](const Vars& in) {
            return attention(in[0], valid, heads, sequences);
          }};
}

// One sequence [length, 3D] written out in other ops: the readable twin.
Var attention_of_one_sequence(const Var& qkv, int64_t heads) {
  const int64_t length = qkv.dim(0), columns = qkv.dim(1) / 3, width = columns / heads;
  const auto part = [&](int64_t i) {
    return transpose(reshape(slice(qkv, 1, i * columns, (i + 1) * columns), {length, heads, width}), 0, 1);
  };
  const Var scores = scale(batched_matmul(part(0), transpose(part(1), 1, 2)), 1 / std::sqrt(double(width)));
  return reshape(transpose(batched_matmul(softmax(scores), part(2)), 0, 1), {length, columns});
}

Var attention_written_out(const Var& qkv, int64_t heads, const Sequences& sequences) {
  std::vector<Var> outputs;
  for (const auto [first, length] : sequence_ranges(sequences))
    outputs.push_back(attention_of_one_sequence(slice(qkv, 0, first, first + length), heads));
  return concat(outputs, 0);
}

}  // namespace

TEST_CASE("attention: gradient, f32, views, threads and memory on odd lengths, heads and widths") {
  check_op(attention_case(2, 4, {{3, 4}}));
  check_op(attention_case(3, 5, {{2, 7}}));
  check_op(attention_case(1, 1, {{1, 1}}));
  check_op(attention_case(1, 3, {{2, 17}, {3, 1}, {1, 4}}));
  check_op(attention_case(2, 4, {}));
  check_op(attention_case(2, 2, {{0, 5}, {1, 0}, {1, 3}}));
}

TEST_CASE("attention: the same for sequences so long that a head's keys and values are copied") {
  check_op(attention_case(2, 3, {{1, 70}, {2, 5}}));
}

TEST_CASE("attention: gradient, f32, views, threads and memory where some tokens are no keys") {
  const Sequences sequences{{2, 4}, {2, 3}};
  const Tensor valid = from_vector<int32_t>({14}, {1, 1, 1, 1, 0, 1, 1, 0, 1, 0, 0, 0, 0, 0});
  check_op(attention_case(2, 3, sequences, valid));
}

TEST_CASE("attention: a device agrees on one tile, many tiles, mixed lengths and odd head widths") {
  check_device(attention_case(2, 4, {{3, 4}}));
  check_device(attention_case(1, 1, {{1, 1}}));
  check_device(attention_case(3, 5, {{2, 16}, {3, 1}, {1, 17}, {0, 5}, {1, 0}}));
  check_device(attention_case(2, 8, {{2, 16}, {3, 1}, {1, 17}, {1, 50}, {1, 64}}));
  check_device(attention_case(1, 24, {{1, 7}, {1, 31}, {1, 32}}));
  check_device(attention_case(1, 16, {{1, 77}}));
  check_device(attention_case(1, 40, {{1, 33}, {1, 65}}));
  check_device(attention_case(1, 72, {{1, 20}, {1, 40}}));
  check_device(attention_case(2, 4, {}));
}

TEST_CASE("attention: a device agrees on the lengths of pictures") {
  for (const int64_t length : {196, 257}) {
    const OpCase op_case = attention_case(1, 8, {{1, length}});
    for (const DType dtype : {DType::f32, DType::bf16}) {
      const Comparison result = device_agrees(
          op_case, dtype, dtype == DType::f32 ? tolerance::kDeviceNmseF32 : tolerance::kDeviceNmseBf16);
      CHECK_MESSAGE(result.ok, result.message);
    }
  }
  const Comparison result =
      device_agrees(attention_case(1, 4, {{1, 577}}), DType::f32, tolerance::kDeviceNmseF32);
  CHECK_MESSAGE(result.ok, result.message);
}

TEST_CASE("attention: a device agrees where some tokens are no keys, whole tiles of them included") {
  const auto check = [](int64_t heads, int64_t width, const Sequences& sequences,
                        const std::function<bool(int64_t)>& is_valid) {
    std::vector<int32_t> mask(size_t(token_count(sequences)));
    for (size_t i = 0; i < mask.size(); ++i) mask[i] = is_valid(int64_t(i));
    const Tensor valid = from_vector<int32_t>({int64_t(mask.size())}, mask);
    check_device({"attention", {normal({int64_t(mask.size()), 3 * heads * width})}, [=](const Vars& in) {
                    return attention(in[0], beside(in[0], valid), heads, sequences);
                  }});
  };
  check(2, 3, {{2, 4}, {2, 3}}, [](int64_t i) { return i % 3 == 1 && i < 11; });
  check(1, 8, {{1, 130}}, [](int64_t i) { return i >= 64 && i % 5 != 0; });
  check(1, 8, {{1, 70}}, [](int64_t) { return false; });
}

TEST_CASE("attention: on a device a head that is too wide and a mask elsewhere are refused by name") {
  const std::optional<Device> device = device_under_test();
  if (!device) return;
  CHECK_THROWS_WITH_AS(attention_forward(to_device(zeros({1, 387}), *device), {}, 1, {{1, 1}}),
                       concatenate("attention: qkv is [1, 387], which makes heads 129 columns wide; expected "
                                   "at most 128 on ",
                                   *device)
                           .c_str(),
                       ShapeError);
  CHECK_THROWS_AS(attention_forward(to_device(zeros({1, 3}), *device), zeros({1}, DType::i32), 1, {{1, 1}}),
                  DeviceError);
}

TEST_CASE("attention: agrees with the same written in matmul and softmax, gradient included") {
  const Sequences sequences{{2, 36}, {3, 16}, {1, 5}};
  const Tensor values = normal({token_count(sequences), 3 * 24});
  const Var fused = leaf(values), plain = leaf(values);
  const Var y = attention(fused, {}, 3, sequences), wanted = attention_written_out(plain, 3, sequences);
  CHECK_CLOSE(y.value(), wanted.value(), tolerance::kGoldenF64);
  const Tensor dy = normal(y.shape(), 1);
  backward({{y, dy}});
  backward({{wanted, dy}});
  CHECK_CLOSE(fused.gradient(), plain.gradient(), tolerance::kGoldenF64);
}

TEST_CASE("attention: many sequences have the same bits on any number of threads, and agree with f64") {
  const OpCase op_case = attention_case(4, 8, {{70, 36}, {70, 16}});
  for (const Comparison& result : {threads_agree(op_case), f32_agrees(op_case)})
    CHECK_MESSAGE(result.ok, result.message);
}

TEST_CASE("attention: a padding token changes nothing, and a sequence without keys gives zeros") {
  const Tensor qkv = to_dtype(normal({6, 6}), DType::f32), cut = qkv.slice(0, 0, 2);
  const Tensor valid = from_vector<int32_t>({6}, {1, 1, 0, 0, 0, 0});
  const AttentionOutput padded = attention_forward(qkv, valid, 1, {{2, 3}});
  CHECK_CLOSE(padded.y.slice(0, 0, 2), attention_forward(cut, {}, 1, {{1, 2}}).y, tolerance::f32_sum(2));
  CHECK_SAME_BITS(padded.y.slice(0, 3, 6), zeros({3, 2}));
  const Tensor dqkv =
      attention_backward(qkv, valid, padded, {{2, 3}}, to_dtype(normal({6, 2}, 1), DType::f32));
  CHECK_SAME_BITS(dqkv.slice(0, 3, 6), zeros({3, 6}));
  CHECK_SAME_BITS(dqkv.slice(0, 2, 3).slice(1, 2, 6), zeros({1, 4}));
}

TEST_CASE("attention: equal scores average the values, however large they are") {
  for (const double size : {1e4, -1e4}) {
    Tensor qkv = full({3, 3}, size, DType::f64);
    for (int64_t token = 0; token < 3; ++token) qkv.mutable_data<double>()[token * 3 + 2] = double(token);
    CHECK_CLOSE(attention_forward(qkv, {}, 1, {{1, 3}}).y, full({3, 1}, 1, DType::f64),
                tolerance::kGoldenF64);
  }
}

TEST_CASE("attention: NaN stays in its sequence, and in its row when it is in a query") {
  Tensor qkv = normal({8, 3});
  qkv.mutable_data<double>()[3 * 1] = NAN;
  const std::vector<double> y = to_vector<double>(attention_forward(qkv, {}, 1, {{4, 2}}).y);
  for (size_t token = 0; token < y.size(); ++token) CHECK(std::isnan(y[token]) == (token == 1));
}

TEST_CASE("attention: sizes, heads and masks that do not fit are refused by name") {
  const Tensor qkv = zeros({6, 12});
  CHECK_THROWS_WITH_AS(
      attention_forward(qkv, {}, 3, {{2, 3}}),
      "attention: qkv is [6, 12]; expected [N, a multiple of 9] because there are 3 heads of q, k and v",
      ShapeError);
  CHECK_THROWS_WITH_AS(
      attention_forward(qkv, {}, 2, {{2, 4}}),
      "attention: qkv is [6, 12]; expected 8 rows because the sequences hold that many tokens", ShapeError);
  CHECK_THROWS_WITH_AS(attention_forward(qkv, {}, 2, {{-2, -3}}),
                       "attention: sequences[0] is -2 sequences of -3 tokens; expected no negative number",
                       ValueError);
  CHECK_THROWS_WITH_AS(attention_forward(qkv, {}, 0, {{2, 3}}), "attention: heads is 0; expected 1 or more",
                       ValueError);
  CHECK_THROWS_WITH_AS(attention_forward(qkv, zeros({6}), 2, {{2, 3}}),
                       "attention: key_valid is f32; expected i32", DTypeError);
  CHECK_THROWS_WITH_AS(attention_forward(qkv, zeros({5}, DType::i32), 2, {{2, 3}}),
                       "attention: key_valid is [5]; expected [6] because qkv is [6, 12]", ShapeError);
}

TEST_CASE("attention: agrees with an independent implementation, gradients included, padded and packed") {
  for (const auto& [name, heads] : {std::pair{"attention.uniform", 2},
                                    {"attention.mixed", 2},
                                    {"attention.one_token", 1},
                                    {"attention.odd", 3}}) {
    Sequences sequences;
    for (const int32_t length : to_vector<int32_t>(golden_op(name, "lengths")))
      sequences.push_back({1, length});
    check_golden(name, {"qkv"}, [&, name = name, heads = heads](const Vars& in) {
      return attention(in[0], golden_op(name, "valid"), heads, sequences);
    });
  }
}
