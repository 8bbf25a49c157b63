#include "autograd/rematerialize.h"

#include <doctest/doctest.h>

#include "autograd/backward.h"
#include "autograd/record.h"
#include "ops/add.h"
#include "ops/layer_norm.h"
#include "ops/linear.h"
#include "ops/mlp.h"
#include "ops/moe_dispatch.h"
#include "ops/patchify.h"
#include "tensor/error.h"
#include "tests/support/compare.h"
#include "tests/support/live_bytes.h"
#include "tests/support/routing_fixture.h"
#include "tests/support/scalars.h"

using namespace limoe;
using namespace limoe::testing;

namespace {

// y = x, which can be made again; counts how often it is.
Var counted(const Var& x, int& made) {
  const Var y =
      record("counted", clone(x.value()), {x}, [](const Tensor& dy, InputGradients& d) { d.set(0, dy); });
  return rematerialized(y, [x = save(x.value(), "x"), &made] {
    ++made;
    return clone(x.get());
  });
}

// x^2, with x saved as its Var says.
Var square(const Var& x) {
  Tensor y = clone(x.value());
  for (int64_t i = 0; i < y.element_count(); ++i) y.mutable_data<double>()[i] *= y.data<double>()[i];
  return record("square", y, {x}, [x = save(x, "x")](const Tensor& dy, InputGradients& d) {
    Tensor dx = clone(dy);
    for (int64_t i = 0; i < dx.element_count(); ++i)
      dx.mutable_data<double>()[i] *= 2 * x.get().data<double>()[i];
    d.set(0, dx);
  });
}

Var normal_leaf(const Shape& shape, uint64_t stream) {
  return leaf(random_normal(shape, 0, 1, 11, stream));
}

// The same value and node: what a save of it keeps is the tensor.
Var kept(const Var& x) {
  return Var(x.value(), x.node());
}
Var as_it_is(const Var& x) {
  return x;
}
using Keep = Var (*)(const Var&);

constexpr int64_t kTokens = 64, kWidth = 48, kHidden = 80, kExperts = 3;

// A norm, read by a router and by the experts' gather, whose rows the experts read: as in a block of a LIMoE.
struct Block {
  Var x = normal_leaf({kTokens, kWidth}, 1), scale = normal_leaf({kWidth}, 2),
      bias = normal_leaf({kWidth}, 3), router = normal_leaf({kWidth, kExperts}, 4),
      up = normal_leaf({kExperts, kWidth, kHidden}, 5), up_bias = normal_leaf({kExperts, kHidden}, 6),
      down = normal_leaf({kExperts, kHidden, kWidth}, 7), down_bias = normal_leaf({kExperts, kWidth}, 8);
  Routing routing = moe_route(random_normal({kTokens, kExperts}, 0, 1, 11, 9), one_group(kTokens), 1,
                              {1, 0.9, CapacityRounding::ceil, 1, true});

  std::vector<Var> run(Keep keep) const {
    const Var normed = keep(layer_norm(x, scale, bias));
    const Var rows = keep(moe_dispatch(normed, routing));
    return {linear(normed, router), grouped_mlp(rows, up, up_bias, down, down_bias, routing.row_begin)};
  }
  std::vector<Tensor> gradients(Keep keep) const {
    const std::vector<Var> outputs = run(keep);
    backward({{outputs[0], random_normal({kTokens, kExperts}, 0, 1, 11, 10)},
              {outputs[1], random_normal({kTokens, kWidth}, 0, 1, 11, 11)}});
    std::vector<Tensor> all;
    for (const Var& of : {x, scale, bias, router, up, up_bias, down, down_bias})
      all.push_back(clone(of.gradient()));
    return all;
  }
};

}  // namespace

TEST_CASE("rematerialized: gradients are the bits of those from kept values") {
  const std::vector<Tensor> again = Block().gradients(as_it_is), stored = Block().gradients(kept);
  for (size_t i = 0; i < stored.size(); ++i) CHECK_SAME_BITS(again[i], stored[i]);
}

TEST_CASE("rematerialized: a norm and gathered rows are not kept for the way back, and nothing is after it") {
  const Block block;
  const size_t value = bytes_kept([] { return std::any(empty({kTokens, kWidth})); });
  CHECK(value > 0);
  CHECK(bytes_kept([&] { return std::any(block.run(kept)); }) ==
        bytes_kept([&] { return std::any(block.run(as_it_is)); }) + 2 * value);
  CHECK(bytes_kept([&] {
          block.gradients(as_it_is);
          return std::any();
        }) == 0);
}

TEST_CASE("rematerialized: pictures are kept, which somebody else holds anyway, and not their patches") {
  const Tensor images = random_normal({4, 8, 8, 3}, 0, 1, 11, 1);
  const Var kernel = normal_leaf({48, 5}, 2);
  const size_t products = bytes_kept([] { return std::any(empty({4, 4, 5})); });
  CHECK(bytes_kept([&] { return std::any(linear(patchify(Var(images), 4), kernel)); }) == products);
  const Tensor seed = random_normal({4, 4, 5}, 0, 1, 11, 3);
  backward({{linear(patchify(Var(images), 4), kernel), seed}});
  const Var other = leaf(kernel.value());
  backward({{linear(Var(patchify_forward(images, 4)), other), seed}});
  CHECK_SAME_BITS(kernel.gradient(), other.gradient());
}

TEST_CASE("rematerialized: made once for all who read it, on the way back, and then let go") {
  forget_larger_blocks();
  int made = 0;
  const Var x = scalar(3);
  const size_t before = live_bytes();
  {
    const Var loss = [&] {
      const Var y = counted(x, made);
      return add(square(y), square(y));
    }();
    CHECK(made == 0);
    const size_t kept_for_it = live_bytes();
    backward(loss);
    CHECK(made == 1);
    CHECK(gradient_of(x) == 2 * 2 * 3);
    CHECK(live_bytes() <= kept_for_it);
  }
  CHECK(live_bytes() == before);
}

TEST_CASE("rematerialized: a recipe that reads another one's value makes both") {
  int made = 0;
  const Var x = scalar(3);
  const Var y = counted(x, made);
  const Var again =
      rematerialized(Var(clone(y.value()), y.node()), [y = save(y, "y")] { return clone(y.get()); });
  backward(square(again));
  CHECK(made == 1);
  CHECK(gradient_of(x) == 6);
}

TEST_CASE("rematerialized: nobody is given a recipe that no way back will follow") {
  int made = 0;
  const NoGradScope no_grad;
  CHECK(counted(scalar(3), made).recipe() == nullptr);
}

TEST_CASE("rematerialized: an input that was written to after the forward pass is refused by name") {
  int made = 0;
  Tensor memory = full({1}, 3, DType::f64);
  const Var y = square(counted(leaf(memory), made));
  memory.mutable_data<double>()[0] = 4;
  CHECK_THROWS_WITH_AS(backward(y), "backward: saved x [1] was overwritten after the forward pass",
                       ValueError);
}

TEST_CASE("Saved: take() hands over the handle, of a tensor and of what a recipe makes") {
  Saved of_tensor = save(full({2}, 3), "x");
  CHECK(of_tensor.take().owns_memory_alone());
  CHECK_FALSE(of_tensor.get().defined());
  Tensor memory = full({2}, 3);
  Saved written_to = save(memory, "x");
  memory.mutable_data<float>()[0] = 4;
  CHECK_THROWS_WITH_AS(written_to.take(), "backward: saved x [2] was overwritten after the forward pass",
                       ValueError);
  const Var y = rematerialized(scalar(3), [] { return full({}, 3, DType::f64); });
  Saved by_recipe = save(y, "y");
  CHECK(item(by_recipe.take()) == 3);
}
