// Every dense op through `limoe ops run` against the op itself. An op of its own says this in its own test
// file.
#include <doctest/doctest.h>

#include "ops/add.h"
#include "ops/add_layer_norm.h"
#include "ops/add_positions.h"
#include "ops/attention.h"
#include "ops/cast.h"
#include "ops/concat.h"
#include "ops/contrastive_loss.h"
#include "ops/embedding.h"
#include "ops/exp.h"
#include "ops/gelu.h"
#include "ops/l2_normalize.h"
#include "ops/layer_norm.h"
#include "ops/linear.h"
#include "ops/matmul.h"
#include "ops/mean_pool.h"
#include "ops/mlp.h"
#include "ops/mul.h"
#include "ops/patchify.h"
#include "ops/reshape.h"
#include "ops/scale.h"
#include "ops/slice.h"
#include "ops/softmax.h"
#include "ops/sum.h"
#include "ops/transpose.h"
#include "tensor/factory.h"
#include "tests/support/signature_case.h"

using namespace limoe;
using namespace limoe::testing;

TEST_CASE("ops run: element-wise ops are the ops themselves") {
  const NamedTensors one{{"x", normal({3, 5})}}, two{{"a", normal({3, 5}, 1)}, {"b", normal({3, 5}, 2)}};
  check_signature("add", two, {}, [](const NamedVars& in) { return Vars{add(in.at("a"), in.at("b"))}; });
  check_signature("mul", two, {}, [](const NamedVars& in) { return Vars{mul(in.at("a"), in.at("b"))}; });
  check_signature("exp", one, {}, [](const NamedVars& in) { return Vars{limoe::exp(in.at("x"))}; });
  check_signature("gelu", one, {}, [](const NamedVars& in) { return Vars{gelu(in.at("x"))}; });
  check_signature("scale", one, {{"factor", "-2.5"}},
                  [](const NamedVars& in) { return Vars{scale(in.at("x"), -2.5)}; });
  check_signature("cast", one, {{"to", "f32"}},
                  [](const NamedVars& in) { return Vars{cast(in.at("x"), DType::f32)}; });
}

TEST_CASE("ops run: ops over rows are the ops themselves") {
  const NamedTensors one{{"x", normal({3, 5})}};
  check_signature("sum", one, {}, [](const NamedVars& in) { return Vars{sum(in.at("x"))}; });
  check_signature("softmax", one, {}, [](const NamedVars& in) { return Vars{softmax(in.at("x"))}; });
  check_signature("l2_normalize", one, {},
                  [](const NamedVars& in) { return Vars{l2_normalize(in.at("x"))}; });
  check_signature("layer_norm", {{"x", normal({3, 5})}, {"scale", normal({5}, 1)}, {"bias", normal({5}, 2)}},
                  {{"epsilon", "0.01"}}, [](const NamedVars& in) {
                    return Vars{layer_norm(in.at("x"), in.at("scale"), in.at("bias"), 0.01)};
                  });
  check_signature("add_layer_norm",
                  {{"x", normal({3, 5})},
                   {"addend", normal({3, 5}, 3)},
                   {"scale", normal({5}, 1)},
                   {"bias", normal({5}, 2)}},
                  {{"epsilon", "0.01"}}, [](const NamedVars& in) {
                    return add_layer_norm(in.at("x"), in.at("addend"), in.at("scale"), in.at("bias"), 0.01);
                  });
  check_signature("add_positions", {{"x", normal({2, 3, 4})}, {"positions", normal({3, 4}, 1)}}, {},
                  [](const NamedVars& in) { return Vars{add_positions(in.at("x"), in.at("positions"))}; });
  check_signature("embedding", {{"table", normal({7, 3})}, {"ids", from_vector<int32_t>({4}, {6, 0, 6, 2})}},
                  {},
                  [](const NamedVars& in) { return Vars{embedding(in.at("table"), in.at("ids").value())}; });
}

TEST_CASE("ops run: products are the ops themselves, with a bias and without") {
  const Tensor x = normal({2, 3}, 1), kernel = normal({3, 4}, 2);
  check_signature("matmul", {{"a", x}, {"b", kernel}}, {},
                  [](const NamedVars& in) { return Vars{matmul(in.at("a"), in.at("b"))}; });
  check_signature("batched_matmul", {{"a", normal({2, 3, 4}, 1)}, {"b", normal({2, 4, 5}, 2)}}, {},
                  [](const NamedVars& in) { return Vars{batched_matmul(in.at("a"), in.at("b"))}; });
  check_signature(
      "linear", {{"x", x}, {"kernel", kernel}, {"bias", normal({4}, 3)}}, {},
      [](const NamedVars& in) { return Vars{linear(in.at("x"), in.at("kernel"), in.at("bias"))}; });
  check_signature("linear", {{"x", x}, {"kernel", kernel}}, {},
                  [](const NamedVars& in) { return Vars{linear(in.at("x"), in.at("kernel"))}; });
  check_signature(
      "mlp",
      {{"x", normal({2, 5, 3}, 1)},
       {"up", normal({3, 7}, 2)},
       {"up_bias", normal({7}, 3)},
       {"down", normal({7, 4}, 4)},
       {"down_bias", normal({4}, 5)}},
      {}, [](const NamedVars& in) {
        return Vars{mlp(in.at("x"), in.at("up"), in.at("up_bias"), in.at("down"), in.at("down_bias"))};
      });
}

TEST_CASE("ops run: ops that move elements are the ops themselves") {
  const NamedTensors one{{"x", normal({3, 4, 5})}};
  check_signature("reshape", one, {{"shape", "6,10"}}, [](const NamedVars& in) {
    return Vars{reshape(in.at("x"), {6, 10})};
  });
  check_signature("transpose", one, {},
                  [](const NamedVars& in) { return Vars{transpose(in.at("x"), -2, -1)}; });
  check_signature("transpose", one, {{"axis-a", "0"}, {"axis-b", "2"}},
                  [](const NamedVars& in) { return Vars{transpose(in.at("x"), 0, 2)}; });
  check_signature("slice", one, {{"axis", "-1"}, {"begin", "1"}, {"end", "4"}},
                  [](const NamedVars& in) { return Vars{slice(in.at("x"), 2, 1, 4)}; });
  check_signature("concat", {{"part0", normal({2, 3}, 1)}, {"part1", normal({4, 3}, 2)}}, {{"axis", "0"}},
                  [](const NamedVars& in) {
                    return Vars{concat({in.at("part0"), in.at("part1")}, 0)};
                  });
  check_signature("patchify", {{"images", normal({2, 4, 6, 3})}}, {{"patch", "2"}},
                  [](const NamedVars& in) { return Vars{patchify(in.at("images"), 2)}; });
}

TEST_CASE("ops run: ops on packed sequences are the ops themselves, with padding and without") {
  const Sequences sequences{{2, 3}, {1, 4}};
  const NamedTexts cut{{"sequences", "2x3,1x4"}};
  const Tensor valid = from_vector<int32_t>({10}, {1, 0, 1, 1, 1, 1, 0, 1, 1, 0});
  const NamedTexts heads{{"sequences", "2x3,1x4"}, {"heads", "2"}};
  check_signature("attention", {{"qkv", normal({10, 12})}}, heads,
                  [&](const NamedVars& in) { return Vars{attention(in.at("qkv"), Tensor(), 2, sequences)}; });
  check_signature("attention", {{"qkv", normal({10, 12})}, {"key_valid", valid}}, heads,
                  [&](const NamedVars& in) {
                    return Vars{attention(in.at("qkv"), in.at("key_valid").value(), 2, sequences)};
                  });
  check_signature("mean_pool", {{"x", normal({10, 3})}}, cut,
                  [&](const NamedVars& in) { return Vars{mean_pool(in.at("x"), Tensor(), sequences)}; });
  check_signature("mean_pool", {{"x", normal({10, 3})}, {"valid", valid}}, cut, [&](const NamedVars& in) {
    return Vars{mean_pool(in.at("x"), in.at("valid").value(), sequences)};
  });
}

TEST_CASE("ops run: contrastive_loss is the op itself") {
  check_signature(
      "contrastive_loss",
      {{"image", normal({5, 4}, 1)}, {"text", normal({5, 4}, 2)}, {"log_scale", full({}, 0.7, DType::f64)}},
      {{"chunk", "2"}}, [](const NamedVars& in) {
        return Vars{contrastive_loss(in.at("image"), in.at("text"), in.at("log_scale"), 2)};
      });
}
