#include "ops/load_loss.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "ops/add.h"
#include "ops/mul.h"
#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/op_case.h"
#include "tests/support/router_loss_case.h"
#include "tests/support/routing_fixture.h"

using namespace limoe;
using namespace limoe::testing;

namespace {

const std::vector<double> kClean{.9, .06, .04, .7, .18, .12, .85, .05, .1};
const std::vector<double> kNoise{-.037, .026, -.018, -.074, .045, -.015, -.067, -.059, .073};

double loss_with(const std::vector<double>& noise, int64_t experts_per_token) {
  std::vector<double> noisy = kClean;
  for (size_t i = 0; i < noisy.size(); ++i) noisy[i] += noise[i];
  return item(load_loss_forward(from_vector<double>({3, 3}, kClean), from_vector<double>({3, 3}, noisy),
                                one_group(3), {experts_per_token, .1, 1}));
}

}  // namespace

TEST_CASE("load_loss: gradient, groups, uncounted tokens, threads and refusals") {
  for (const int64_t choices : {1, 2, 3})
    check_router_loss({"load_loss", [=](const Var& rows, const Tensor& group_of, int64_t groups) {
                         // "Noise" that is a function of the row, so that a group alone sees the same.
                         const Var noise = mul(rows, Var(full(rows.shape(), 0.3, rows.dtype())));
                         return load_loss(rows, add(rows, noise), choices, 0.4, group_of, groups);
                       }});
}

TEST_CASE("load_loss: gradients of both inputs by themselves") {
  check_op({"load_loss", {normal({13, 4}, 1), normal({13, 4}, 2)}, [](const Vars& in) {
              return load_loss(in[0], in[1], 2, 0.7, from_vector<int32_t>({13}, groups_of_three(13)), 3);
            }});
}

TEST_CASE("load_loss: a device agrees on odd sizes, groups and uncounted tokens; NaN shows") {
  for (const int64_t choices : {1, 2}) {
    // The noise is captured: it has no gradient here.
    check_router_loss_on_device({"load_loss", [=](const Var& rows, const Tensor& group_of, int64_t groups) {
                                   const Tensor noisy =
                                       to_dtype(normal(rows.shape(), 9), rows.value().dtype());
                                   return load_loss(rows, Var(beside(rows, noisy)),
                                                    std::min(choices, rows.dim(1)), 0.7, group_of, groups);
                                 }});
    check_device({"load_loss", {normal({65, 5}, 1), normal({65, 5}, 2)}, [=](const Vars& in) {
                    const Tensor group_of = from_vector<int32_t>({65}, groups_of_three(65));
                    return load_loss(in[0], in[1], choices, 0.7, beside(in[0], group_of), 3);
                  }});
  }
}

TEST_CASE("load_loss: the public example") {
  CHECK_CLOSE(full({}, loss_with(kNoise, 2), DType::f64), full({}, 0.48573847, DType::f64),
              tolerance::printed(8));
  CHECK_CLOSE(full({}, loss_with(kNoise, 1), DType::f64), full({}, 1.9999881, DType::f64),
              tolerance::printed(7));
}

TEST_CASE("load_loss: changes with the noise") {
  std::vector<double> other = kNoise;
  for (double& value : other) value = -value;
  CHECK(loss_with(kNoise, 2) != loss_with(other, 2));
}

TEST_CASE("load_loss: agrees with PyTorch") {
  for (const std::string name : {"k1", "k2"}) {
    const std::string prefix = "load." + name;
    check_golden_loss(prefix, [=](const Var& logits) {
      return load_loss(logits, add(logits, Var(golden(prefix + ".noise"))),
                       int64_t(golden_setting(prefix + ".top_k")), golden_setting(prefix + ".sigma"),
                       one_group(logits.dim(0)), 1);
    });
  }
}

TEST_CASE("load_loss: no noise, no experts to choose, and other shapes are refused") {
  const auto run = [](const Shape& noisy, const LoadSettings& settings) {
    return load_loss_forward(zeros({2, 3}), zeros(noisy), one_group(2), settings);
  };
  CHECK_THROWS_WITH_AS(run({2, 3}, {1, 0, 1}),
                       "load_loss: noise_deviation is 0; expected more than 0: without noise there is no "
                       "chance to speak of",
                       ValueError);
  CHECK_THROWS_AS(run({2, 3}, {1, -1, 1}), ValueError);
  CHECK_THROWS_AS(run({2, 3}, {1, NAN, 1}), ValueError);
  CHECK_THROWS_WITH_AS(run({2, 3}, {4, 1, 1}),
                       "load_loss: experts_per_token is 4; expected 1..3 because logits is [2, 3]",
                       ValueError);
  CHECK_THROWS_WITH_AS(run({3, 3}, {1, 1, 1}),
                       "load_loss: noisy_logits is [3, 3]; expected [2, 3] because logits is that",
                       ShapeError);
}
