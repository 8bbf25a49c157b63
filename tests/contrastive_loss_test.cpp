#include "ops/contrastive_loss.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/backward.h"
#include "ops/l2_normalize.h"
#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/device.h"
#include "tests/support/golden_op.h"
#include "tests/support/op_case.h"

using namespace limoe;
using namespace limoe::testing;

namespace {

Tensor log_of(double scale) {
  return full({}, std::log(scale), DType::f64);
}

OpCase contrastive_case(int64_t n, int64_t width, double scale, int64_t chunk) {
  return {"contrastive_loss",
          {l2_normalize_forward(normal({n, width}, 1)), l2_normalize_forward(normal({n, width}, 2)),
           log_of(scale)},
          [chunk](const Vars& in) { return contrastive_loss(in[0], in[1], in[2], chunk); },
          4 * n};
}

// Similarities [n, n] as embeddings: rows of `similarities` against unit vectors along the axes.
ContrastiveOutput of_similarities(int64_t n, const std::vector<double>& similarities, double scale) {
  Tensor axes = zeros({n, n}, DType::f64);
  for (int64_t i = 0; i < n; ++i) axes.mutable_data<double>()[i * n + i] = 1;
  return contrastive_loss_forward(from_vector<double>({n, n}, similarities), axes, log_of(scale), 2);
}

void check_values(const ContrastiveOutput& output, double to_text, double to_image, double loss) {
  const tolerance::Allowed as_printed{6e-9, 0};  // the golden values have eight decimals
  CHECK_CLOSE(output.image_to_text, full({}, to_text, DType::f64), as_printed);
  CHECK_CLOSE(output.text_to_image, full({}, to_image, DType::f64), as_printed);
  CHECK_CLOSE(output.loss, full({}, loss, DType::f64), as_printed);
}

}  // namespace

TEST_CASE("contrastive_loss: gradient, f32, views, threads and memory, in blocks that fit and that do not") {
  for (const int64_t chunk : {1, 2, 3, 512}) check_op(contrastive_case(5, 4, 3, chunk));
  check_op(contrastive_case(1, 3, 10, 512));
  check_op(contrastive_case(33, 2, 10, 32));
}

TEST_CASE("contrastive_loss: large batches have the same bits on any number of threads, and agree with f64") {
  const OpCase op_case = contrastive_case(700, 16, 10, 256);
  for (const Comparison& result : {threads_agree(op_case), f32_agrees(op_case)})
    CHECK_MESSAGE(result.ok, result.message);
}

TEST_CASE("contrastive_loss: a device agrees, in blocks that fit and that do not") {
  for (const int64_t chunk : {1, 2, 3, 512}) check_device(contrastive_case(5, 4, 3, chunk));
  check_device(contrastive_case(1, 3, 10, 512));
  check_device(contrastive_case(33, 2, 10, 32));
  check_device(contrastive_case(65, 31, 10, 16));
  check_device(contrastive_case(129, 64, 20, 512));
}

TEST_CASE("contrastive_loss: on a device logits of 1e4 are finite, NaN is not hidden, the scale may be f32") {
  if (!device_under_test()) return;
  const Device device = *device_under_test();
  const auto loss = [&](const Tensor& image, const Tensor& text, double scale, int64_t chunk) {
    return item(contrastive_loss_forward(to_device(image, device), to_device(text, device),
                                         to_device(to_dtype(log_of(scale), DType::f32), device), chunk)
                    .loss);
  };
  for (const DType dtype : {DType::f32, DType::bf16})
    for (const int64_t chunk : {1, 2}) {
      const Tensor unit = to_dtype(from_vector<float>({2, 2}, {1, 0, 0, 1}), dtype),
                   other = to_dtype(from_vector<float>({2, 2}, {0, 1, 1, 0}), dtype),
                   broken = to_dtype(from_vector<float>({2, 2}, {1, 0, 0, NAN}), dtype);
      CHECK(loss(unit, unit, 1e4, chunk) == 0.0);
      CHECK(std::abs(loss(unit, other, 1e4, chunk) - 1e4) <= 0.01);
      CHECK(std::isnan(loss(unit, broken, 1e4, chunk)));
    }
}

TEST_CASE("contrastive_loss: values worked out independently for given similarities") {
  const std::vector<double> similarities{.9, .1, .2, .3, .8, 0, .1, .4, .7};
  check_values(of_similarities(3, similarities, 1), .73827206, .73631238, .73729222);
  check_values(of_similarities(3, similarities, 10), .01974695, .00982533, .01478614);
  check_values(of_similarities(3, similarities, 1 / .07), .00490470, .00145806, .00318138);
  const double identity = std::log(std::exp(1) + 3) - 1;
  check_values(of_similarities(4, {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1}, 1), identity, identity,
               identity);
  const double uniform = std::log(4.0);
  check_values(of_similarities(4, std::vector<double>(16), 1), uniform, uniform, uniform);
}

TEST_CASE("contrastive_loss: the size of a block changes nothing but the order of sums") {
  const auto gradients_with = [](int64_t chunk) {
    const OpCase op_case = contrastive_case(37, 8, 10, chunk);
    const Vars in{leaf(op_case.inputs[0]), leaf(op_case.inputs[1]), leaf(op_case.inputs[2])};
    const Var loss = op_case.run(in);
    backward(loss);
    return std::vector{loss.value(), in[0].gradient(), in[1].gradient(), in[2].gradient()};
  };
  const std::vector<Tensor> whole = gradients_with(512), blocks = gradients_with(10);
  for (size_t i = 0; i < whole.size(); ++i) CHECK_CLOSE(blocks[i], whole[i], tolerance::kGoldenF64);
}

TEST_CASE("contrastive_loss: logits of 1e4 are finite, and NaN is not hidden") {
  const Tensor unit = from_vector<float>({2, 2}, {1, 0, 0, 1}),
               other = from_vector<float>({2, 2}, {0, 1, 1, 0});
  const Tensor log_scale = to_dtype(log_of(1e4), DType::f32);
  CHECK(item(contrastive_loss_forward(unit, unit, log_scale, 1).loss) == 0.0);
  CHECK(std::abs(item(contrastive_loss_forward(unit, other, log_scale, 1).loss) - 1e4) <= 0.01);
  Tensor broken = clone(unit);
  broken.mutable_data<float>()[3] = NAN;
  for (const int64_t chunk : {1, 2})
    CHECK(std::isnan(item(contrastive_loss_forward(unit, broken, log_scale, chunk).loss)));
}

TEST_CASE("contrastive_loss: no pairs, unequal sizes and an empty block are refused by name") {
  const Tensor log_scale = zeros({});
  CHECK_THROWS_WITH_AS(contrastive_loss_forward(zeros({0, 4}), zeros({0, 4}), log_scale, 2),
                       "contrastive_loss: image is [0, 4]; expected at least one pair", ShapeError);
  CHECK_THROWS_WITH_AS(contrastive_loss_forward(zeros({3, 4}), zeros({2, 4}), log_scale, 2),
                       "contrastive_loss: text is [2, 4]; expected [3, 4] because image is that", ShapeError);
  CHECK_THROWS_WITH_AS(contrastive_loss_forward(zeros({3, 4}), zeros({3, 4}), zeros({1}), 2),
                       "contrastive_loss: log_scale is [1]; expected []", ShapeError);
  CHECK_THROWS_WITH_AS(contrastive_loss_forward(zeros({3, 4}), zeros({3, 4}), log_scale, 0),
                       "contrastive_loss: chunk is 0; expected 1 row or more", ValueError);
}

TEST_CASE("contrastive_loss: agrees with an independent implementation, gradients included, for any block") {
  for (const char* name :
       {"contrastive.unit", "contrastive.sharp", "contrastive.odd", "contrastive.one_pair"})
    for (const int64_t chunk : {1, 3, 512}) {
      check_golden(name, {"image", "text", "log_scale"},
                   [&](const Vars& in) { return contrastive_loss(in[0], in[1], in[2], chunk); });
      const ContrastiveOutput output = contrastive_loss_forward(
          golden_op(name, "image"), golden_op(name, "text"), golden_op(name, "log_scale"), chunk);
      CHECK_CLOSE(output.image_to_text, golden_op(name, "image_to_text"), tolerance::kGoldenF64);
      CHECK_CLOSE(output.text_to_image, golden_op(name, "text_to_image"), tolerance::kGoldenF64);
    }
}
