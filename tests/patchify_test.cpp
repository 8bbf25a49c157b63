#include "ops/patchify.h"

#include <doctest/doctest.h>

#include "ops/linear.h"
#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/golden_op.h"
#include "tests/support/op_case.h"

using namespace limoe;
using namespace limoe::testing;

TEST_CASE("patchify: gradient, f32, views, threads and memory on odd grids, one picture and none") {
  const auto check = [](const Shape& shape, int64_t patch) {
    check_op({"patchify", {normal(shape)}, [patch](const Vars& in) { return patchify(in[0], patch); }});
  };
  check({2, 6, 4, 3}, 2);
  check({1, 3, 9, 1}, 3);
  check({3, 2, 3, 2}, 1);
  check({1, 5, 5, 3}, 5);
  check({0, 4, 4, 3}, 2);
  check({2, 0, 4, 3}, 2);
}

TEST_CASE("patchify: a device agrees on odd grids, whole packs, one picture and none") {
  const auto check = [](const Shape& shape, int64_t patch) {
    check_device({"patchify", {normal(shape)}, [patch](const Vars& in) { return patchify(in[0], patch); }});
  };
  check({2, 6, 4, 3}, 2);
  check({1, 3, 9, 1}, 3);
  check({3, 2, 3, 2}, 1);
  check({2, 16, 24, 3}, 8);
  check({0, 4, 4, 3}, 2);
}

TEST_CASE("patchify: patches run row by row, and inside a patch (y, x, channel)") {
  std::vector<float> pixels;
  for (int i = 0; i < 2 * 4 * 2; ++i) pixels.push_back(float(i));  // one picture of 2 x 4 with two channels
  const Tensor y = patchify_forward(from_vector<float>({1, 2, 4, 2}, pixels), 2);
  CHECK_SAME_BITS(y, from_vector<float>({1, 2, 8}, {0, 1, 2, 3, 8, 9, 10, 11, 4, 5, 6, 7, 12, 13, 14, 15}));
  CHECK_SAME_BITS(patchify_backward({1, 2, 4, 2}, 2, y), from_vector<float>({1, 2, 4, 2}, pixels));
}

TEST_CASE("patchify: a size that patches do not fill is refused by name") {
  CHECK_THROWS_WITH_AS(
      patchify_forward(zeros({1, 6, 5, 3}), 3),
      "patchify: images is [1, 6, 5, 3]; expected height and width in multiples of 3, the patch size",
      ShapeError);
  CHECK_THROWS_WITH_AS(patchify_forward(zeros({6, 6, 3}), 3),
                       "patchify: images is [6, 6, 3]; expected rank 4", ShapeError);
  CHECK_THROWS_WITH_AS(patchify_forward(zeros({1, 6, 6, 3}), 0), "patchify: patch is 0; expected 1 or more",
                       ValueError);
}

TEST_CASE("patchify: a product with the patches is the convolution that PyTorch computes") {
  const auto golden = [](const char* name) { return golden_op("patch_embedding.conv", name); };
  CHECK_CLOSE(linear_forward(patchify_forward(golden("images"), 4), golden("kernel"), {}), golden("y"),
              tolerance::kGoldenF64);
}
