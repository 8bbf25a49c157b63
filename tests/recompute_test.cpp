#include "autograd/recompute.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "autograd/backward.h"
#include "autograd/record.h"
#include "ops/add.h"
#include "ops/gelu.h"
#include "ops/mul.h"
#include "tensor/caching_allocator.h"
#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/compare.h"
#include "tests/support/live_bytes.h"

using namespace limoe;
using namespace limoe::testing;

namespace {

constexpr int64_t kWidth = 1024;
constexpr size_t kValueBytes = kWidth * 4;

// Ten activations deep; `weight` is used by capture.
Var deep(const Var& x, const Var& weight) {
  Var y = x;
  for (int i = 0; i < 5; ++i) y = gelu(mul(y, weight));
  return y;
}

struct Gradients {
  Tensor x, y, weight;
};

// Of a block with two inputs and two outputs, the outputs multiplied.
Gradients run(bool again) {
  const auto make = [](uint64_t stream) { return leaf(random_normal({kWidth}, 0, 1, 1, stream)); };
  const Var x = make(1), y = make(2), weight = make(3);
  const RecomputeBody body = [weight](const std::vector<Var>& in) {
    return std::vector<Var>{deep(in[0], weight), add(deep(in[1], weight), in[0])};
  };
  const std::vector<Var> inputs{mul(x, x), mul(y, y)};
  const std::vector<Var> outputs = again ? recompute(body, inputs) : body(inputs);
  backward({{mul(outputs[0], outputs[1]), random_normal({kWidth}, 0, 1, 1, 4)}});
  return {x.gradient(), y.gradient(), weight.gradient()};
}

}  // namespace

TEST_CASE("recompute: the gradients of inputs and captured leaves are the same bits") {
  const Gradients plain = run(false), again = run(true);
  CHECK_SAME_BITS(again.x, plain.x);
  CHECK_SAME_BITS(again.y, plain.y);
  CHECK_SAME_BITS(again.weight, plain.weight);
}

TEST_CASE("recompute: no activation of the body is kept between forward and backward") {
  forget_larger_blocks();
  const Var x = leaf(zeros({kWidth})), weight = leaf(zeros({kWidth}));
  const auto body = [weight](const std::vector<Var>& in) { return std::vector<Var>{deep(in[0], weight)}; };
  const size_t before = live_bytes();
  {
    const std::vector<Var> y = body({x});
    CHECK(live_bytes() - before >= 9 * kValueBytes);
  }
  CHECK(live_bytes() == before);
  {
    const std::vector<Var> y = recompute(body, {x});
    CHECK(live_bytes() - before <= kValueBytes + 64);  // its output
    backward({{y[0], full({kWidth}, 1)}});
  }
  CHECK(live_bytes() == before);
}

TEST_CASE("recompute: an unused output and an input that wants no gradient are left out") {
  const Var x = leaf(full({2}, 3)), constant(full({2}, 5));
  std::vector<bool> wanted;
  const auto body = [&](const std::vector<Var>& in) {
    wanted = {in[0].wants_gradient(), in[1].wants_gradient()};
    return std::vector<Var>{mul(in[0], in[1]), mul(in[0], in[0])};
  };
  backward({{recompute(body, {x, constant})[0], full({2}, 1)}});
  CHECK(wanted == std::vector<bool>{true, false});
  CHECK_SAME_BITS(x.gradient(), full({2}, 5));
}

TEST_CASE("recompute: captured leaves get their gradient even when no input wants one") {
  const Var x(full({2}, 3)), weight = leaf(full({2}, 5));
  const auto body = [&](const std::vector<Var>& in) { return std::vector<Var>{mul(in[0], weight)}; };
  backward({{recompute(body, {x})[0], full({2}, 1)}});
  CHECK_SAME_BITS(weight.gradient(), full({2}, 3));
}

TEST_CASE("recompute: works inside another recompute, and without recording") {
  const Var x = leaf(full({2}, 3));
  const auto inner = [](const std::vector<Var>& in) { return std::vector<Var>{mul(in[0], in[0])}; };
  const auto outer = [&](const std::vector<Var>& in) {
    return std::vector<Var>{mul(recompute(inner, in)[0], in[0])};
  };
  backward({{recompute(outer, {x})[0], full({2}, 1)}});
  CHECK_SAME_BITS(x.gradient(), full({2}, 27));
  const NoGradScope no_grad;
  CHECK_FALSE(recompute(outer, {x})[0].wants_gradient());
}

TEST_CASE("recompute: an output that is an input, or does not depend on one, is legal") {
  const Var x = leaf(full({2}, 3));
  const auto body = [](const std::vector<Var>& in) { return std::vector<Var>{in[0], Var(full({2}, 7))}; };
  const std::vector<Var> y = recompute(body, {x});
  backward({{mul(y[0], y[1]), full({2}, 1)}});
  CHECK_SAME_BITS(x.gradient(), full({2}, 7));
}

TEST_CASE("recompute: an input that was written to after the forward pass is refused") {
  Tensor values = full({2}, 3);
  const Var x = leaf(values);
  const std::vector<Var> y =
      recompute([](const std::vector<Var>& in) { return std::vector<Var>{mul(in[0], in[0])}; }, {x});
  values.mutable_data<float>()[0] = 1;
  CHECK_THROWS_WITH_AS(backward({{y[0], full({2}, 1)}}),
                       "backward: saved input of recompute [2] was overwritten after the forward pass",
                       ValueError);
}
