#include <doctest/doctest.h>

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
#include "tests/support/scalars.h"

using namespace limoe;
using namespace limoe::testing;

namespace {

// y = x, made by `op`, whose gradient is what `backward` says.
Var identity(const char* op, const Var& x, BackwardFunction backward) {
  return record(op, clone(x.value()), {x}, std::move(backward));
}

Var passing(const Var& x) {
  return identity("passing", x, [](const Tensor& dy, InputGradients& d) { d.set(0, dy); });
}

}  // namespace

TEST_CASE("backward: a diamond adds the gradients of both ways") {
  const Var x = scalar(3);
  const Var left = mul(x, x), right = mul(x, scalar(5));
  backward(mul(left, right));  // 5 x^3
  CHECK(gradient_of(x) == 5 * 3 * 9);
}

TEST_CASE("backward: y = x + x, with x and y used again, adds nothing twice") {
  const Var x = scalar(3);
  const Var y = add(x, x);
  const Var z = add(mul(y, x), add(y, x));  // 2 x^2 + 3 x
  backward(z);
  CHECK(gradient_of(x) == 4 * 3 + 3);
}

TEST_CASE("backward: a gradient that several values share is never added into") {
  // `add` hands the same dy to both inputs; each input then gets a second contribution.
  const Var a = leaf(full({2}, 1.0)), b = leaf(full({2}, 1.0));
  const Var hidden_a = passing(a), hidden_b = passing(b);
  const Var sum = add(add(hidden_a, hidden_b), hidden_a);
  const Tensor seed = from_vector<float>({2}, {1, 10});
  backward({{sum, seed}});
  CHECK_SAME_BITS(a.gradient(), from_vector<float>({2}, {2, 20}));
  CHECK_SAME_BITS(b.gradient(), from_vector<float>({2}, {1, 10}));
  CHECK_SAME_BITS(seed, from_vector<float>({2}, {1, 10}));
}

TEST_CASE("backward: a gradient that is a view reaches a leaf and a sum as its values") {
  const Var x = leaf(from_vector<float>({2, 3}, {1, 2, 3, 4, 5, 6}));
  const Var hidden = passing(x);
  const Var turned = record("turn", hidden.value().transpose(0, 1), {hidden},
                            [](const Tensor& dy, InputGradients& d) { d.set(0, dy.transpose(0, 1)); });
  backward({{turned, from_vector<float>({3, 2}, {1, 2, 3, 4, 5, 6})}, {hidden, full({2, 3}, 1)}});
  CHECK_SAME_BITS(x.gradient(), from_vector<float>({2, 3}, {2, 4, 6, 3, 5, 7}));
}

TEST_CASE(
    "backward: a chain of a million nodes runs, and another is destroyed unrun, without deep recursion") {
  const Var x = scalar(1);
  const Tensor value = x.value();
  const auto chain = [&] {
    Var y = x;
    for (int i = 0; i < 1'000'000; ++i)
      y = record("link", value, {y}, [](const Tensor& dy, InputGradients& d) { d.set(0, dy); });
    return y;
  };
  backward(chain());
  CHECK(gradient_of(x) == 1);
  { const Var unrun = chain(); }
  CHECK(gradient_of(x) == 1);
}

TEST_CASE("backward: a wide graph that shares nodes is destroyed unrun and frees its memory") {
  const size_t before = live_bytes();
  {
    const Var x = leaf(zeros({100}));
    Var y = x;
    for (int i = 0; i < 200; ++i) y = add(passing(y), passing(y));
    CHECK(live_bytes() > before);
  }
  CHECK(live_bytes() == before);
}

TEST_CASE("backward: saved tensors and activations are let go while it runs") {
  forget_larger_blocks();
  const size_t before = live_bytes();
  const Var x = leaf(zeros({100}));
  const size_t with_leaf = live_bytes();
  {
    const Var y = mul(passing(x), passing(x));
    backward({{y, full({100}, 1)}});
    CHECK(live_bytes() - with_leaf <= 448);  // y's own value; nothing that was saved
  }
  CHECK(live_bytes() == with_leaf);
  CHECK(with_leaf > before);
}

TEST_CASE("backward: a saved tensor that was written to after the forward pass is refused by name") {
  Tensor values = full({2}, 3);
  const Var x = leaf(values), y = gelu(x);
  values.mutable_data<float>()[0] = 4;
  CHECK_THROWS_WITH_AS(backward({{y, full({2}, 1)}}),
                       "backward: saved x [2] was overwritten after the forward pass", ValueError);
}

TEST_CASE("backward: a graph runs once") {
  const Var x = scalar(3), y = mul(x, x);
  backward(y);
  CHECK_THROWS_WITH_AS(
      backward(y), "backward: this graph has run already; expected one backward pass for one forward pass",
      ValueError);
  CHECK(gradient_of(x) == 6);
}

TEST_CASE(
    "backward: a gradient of wrong shape, dtype or device is refused with the scope, the op and the input") {
  const auto fails_with = [](const Tensor& gradient) {
    const Var x = leaf(full({2}, 1));
    const NameScope blocks("blocks.3"), moe("moe");
    return identity("twist", x, [=](const Tensor&, InputGradients& d) { d.set(0, gradient); });
  };
  const auto run = [](const Var& y) { backward({{y, full({2}, 1)}}); };
  CHECK_THROWS_WITH_AS(run(fails_with(zeros({3}))),
                       "blocks.3.moe/twist backward: gradient of input 0 is [3]; expected [2]", ShapeError);
  CHECK_THROWS_WITH_AS(run(fails_with(zeros({2}, DType::f64))),
                       "blocks.3.moe/twist backward: gradient of input 0 is f64; expected f32", DTypeError);
  CHECK(NameScope::current().empty());
}

TEST_CASE("backward: seeds of several roots flow in one pass, also when one root feeds another") {
  const Var x = scalar(3);
  const Var y = mul(x, x), z = mul(y, x);
  const auto seed = [](double value) { return full({}, value, DType::f64); };
  backward({{y, seed(10)}, {z, seed(1)}, {z, seed(1)}, {x, seed(0.5)}});
  CHECK(gradient_of(x) == 10 * 6 + 2 * 27 + 0.5);
}

TEST_CASE("backward: seeds that do not fit and values without a graph are refused") {
  const Var x = leaf(full({2}, 1));
  CHECK_THROWS_WITH_AS(backward({{x, full({3}, 1)}}), "backward: the seed is [3]; expected [2]", ShapeError);
  CHECK_THROWS_WITH_AS(backward({{x, full({2}, 1, DType::f64)}}), "backward: the seed is f64; expected f32",
                       DTypeError);
  CHECK_THROWS_WITH_AS(backward(x), "backward: the loss is [2]; expected one element", ShapeError);
  CHECK_THROWS_WITH_AS(backward({{detach(x), full({2}, 1)}}),
                       "backward: a value [2] has no graph; expected one made from a leaf while recording",
                       ValueError);
  CHECK_THROWS_AS(backward({{x, Tensor()}}), Error);
  const Var leaf_seed = scalar(1);
  CHECK_THROWS_AS(backward({{leaf_seed, full({}, 1.0, DType::f64)}, {leaf_seed, zeros({2}, DType::f64)}}),
                  ShapeError);
  CHECK(to_vector<double>(leaf_seed.gradient())[0] == 0);
}

TEST_CASE("backward: inputs that want no gradient get none, and a detached value stops it") {
  const Var x = scalar(3), constant(full({}, 7, DType::f64));
  int wanted = -1;
  const Var y = record("pick", x.value(), {constant, x}, [&](const Tensor& dy, InputGradients& d) {
    wanted = d.wanted(0);
    d.set(0, dy);  // ignored
    d.set(1, dy);
  });
  backward(mul(y, detach(y)));
  CHECK(wanted == 0);
  CHECK(gradient_of(x) == 3);
}

TEST_CASE("backward: an input whose gradient is never set gets nothing") {
  const Var x = scalar(3);
  backward(identity("silent", passing(x), [](const Tensor&, InputGradients&) {}));
  CHECK(gradient_of(x) == 0);
}

TEST_CASE("record_many: the backward function runs once, unused outputs are undefined, all may be used") {
  const auto split = [](const Var& x, int& runs, std::vector<bool>& defined) {
    return record_many("split", {clone(x.value()), clone(x.value()), clone(x.value())}, {x},
                       [&](std::span<const Tensor> dys, InputGradients& d) {
                         ++runs;
                         Tensor sum = zeros({}, DType::f64);
                         for (const Tensor& dy : dys) {
                           defined.push_back(dy.defined());
                           if (dy.defined()) add_into(sum, dy);
                         }
                         d.set(0, sum);
                       });
  };
  {
    const Var x = scalar(2);
    int runs = 0;
    std::vector<bool> defined;
    const std::vector<Var> parts = split(passing(x), runs, defined);
    backward(mul(parts[0], parts[2]));
    CHECK(runs == 1);
    CHECK(defined == std::vector<bool>{true, false, true});
    CHECK(gradient_of(x) == 4);
  }
  {
    const Var x = scalar(2);
    int runs = 0;
    std::vector<bool> defined;
    const std::vector<Var> parts = split(x, runs, defined);
    backward(add(add(parts[0], parts[1]), add(parts[2], x)));
    CHECK(runs == 1);
    CHECK(gradient_of(x) == 4);
  }
}

TEST_CASE("record_many: a graph that is never run frees its memory") {
  const size_t before = live_bytes();
  {
    const Var x = leaf(zeros({100}));
    record_many("pair", {zeros({100}), zeros({100})}, {x}, [](std::span<const Tensor>, InputGradients&) {});
  }
  CHECK(live_bytes() == before);
}

TEST_CASE("no-grad: values have no graph and no activation is kept; scopes nest and end") {
  forget_larger_blocks();
  const Var x = leaf(zeros({100}));
  const size_t before = live_bytes();
  {
    const NoGradScope no_grad;
    CHECK_FALSE(recording());
    Var y = x;
    for (int i = 0; i < 10; ++i) y = mul(y, x);
    CHECK_FALSE(y.wants_gradient());
    CHECK(live_bytes() - before <= 448);
    {
      const GradScope grad;
      CHECK(recording());
      CHECK(mul(x, x).wants_gradient());
    }
    CHECK_FALSE(recording());
  }
  CHECK(recording());
  CHECK_FALSE(mul(detach(x), detach(x)).wants_gradient());
}

TEST_CASE(
    "backward: a leaf has its gradient before an older op runs, so that nobody keeps it until the end") {
  const Var x = scalar(3), w = scalar(2);
  double seen = 0;
  const Var y = record("look", x.value(), {x}, [&](const Tensor& dy, InputGradients& d) {
    seen = to_vector<double>(w.gradient())[0];
    d.set(0, dy);
  });
  backward(mul(y, w));
  CHECK(seen == 3);
  CHECK(to_vector<double>(x.gradient())[0] == 2);
}

TEST_CASE("observer: sees every op with its full name, inputs and outputs, until it is taken away") {
  std::vector<std::string> seen;
  set_record_observer([&](const std::string& name, std::span<const Var> inputs, std::span<const Tensor> ys) {
    std::string line = name + " ";
    for (const Var& input : inputs) line += concatenate(input.shape());
    line += " ->";
    for (const Tensor& y : ys) line += concatenate(y.shape());
    seen.push_back(line);
  });
  const Var x = leaf(zeros({2}));
  mul(x, x);
  {
    const NameScope scope("blocks.0");
    const NoGradScope no_grad;
    add(x, x);
    record_many("pair", {zeros({1}), zeros({3})}, {x}, [](std::span<const Tensor>, InputGradients&) {});
  }
  set_record_observer({});
  mul(x, x);
  CHECK(seen == std::vector<std::string>{"mul [2][2] ->[2]", "blocks.0/add [2][2] ->[2]",
                                         "blocks.0/pair [2] ->[1][3]"});
}

TEST_CASE("var: only a leaf has a gradient to ask for, and a leaf's parts must fit") {
  const Var x = scalar(2);
  CHECK_THROWS_WITH_AS(mul(x, x).gradient(), "gradient: asked of a value that is no leaf; expected a leaf",
                       ValueError);
  CHECK_THROWS_AS(detach(x).gradient(), ValueError);
  CHECK_THROWS_WITH_AS(leaf(zeros({2}, DType::i32)), "leaf: value is i32; expected a floating dtype",
                       DTypeError);
  CHECK_THROWS_WITH_AS(leaf(zeros({2}), zeros({3})), "leaf: gradient is [3]; expected [2] like the value",
                       ShapeError);
  CHECK_THROWS_AS(leaf(zeros({2}), zeros({2}, DType::f64)), DTypeError);
}
