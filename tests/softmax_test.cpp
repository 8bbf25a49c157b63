#include "ops/softmax.h"

#include <doctest/doctest.h>

#include <cmath>
#include <optional>

#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/device.h"
#include "tests/support/op_case.h"

using namespace limoe;
using namespace limoe::testing;

TEST_CASE("softmax: gradient, f32, views, threads and memory on odd shapes") {
  for (const Shape& shape : {Shape{0, 3}, Shape{1}, Shape{4, 1}, Shape{3, 31}, Shape{2, 2, 33}})
    check_op({"softmax", {normal(shape)}, [](const Vars& in) { return softmax(in[0]); }});
}

TEST_CASE("softmax: a device agrees on rows of experts and on odd shapes") {
  for (const Shape& shape : {Shape{0, 3}, Shape{1}, Shape{4, 1}, Shape{65, 8}, Shape{3, 31}, Shape{2, 2, 33},
                             Shape{9, 64}, Shape{2, 197}, Shape{3, 577}})
    check_device({"softmax", {normal(shape, 0, 2)}, [](const Vars& in) { return softmax(in[0]); }});
}

TEST_CASE("softmax: on a device too, NaN, infinity and a row of minus infinity stay in their rows") {
  const std::optional<Device> device = device_under_test();
  if (!device) return;
  const Tensor x = from_vector<float>({4, 2}, {NAN, 1, INFINITY, 1, -INFINITY, -INFINITY, 3, 3}, *device);
  const std::vector<float> y = to_vector<float>(softmax_forward(x));
  for (size_t i = 0; i < 6; ++i) CHECK(std::isnan(y[i]));
  CHECK(y[6] == 0.5f);
  CHECK(y[7] == 0.5f);
}

TEST_CASE("softmax: a row of equal values is uniform, however large they are") {
  for (const double value : {0.0, 1e4, -1e4})
    CHECK_CLOSE(softmax_forward(full({2, 4}, value, DType::f64)), full({2, 4}, 0.25, DType::f64),
                tolerance::kExact);
}

TEST_CASE(
    "softmax: minus infinity has probability zero; NaN and a row of nothing but minus infinity become NaN") {
  const Tensor x = from_vector<double>({3, 2}, {0, -INFINITY, NAN, 1, -INFINITY, -INFINITY});
  const std::vector<double> y = to_vector<double>(softmax_forward(x));
  CHECK(y[0] == 1.0);
  CHECK(y[1] == 0.0);
  for (const int i : {2, 3, 4, 5}) CHECK(std::isnan(y[i]));
}

TEST_CASE("softmax: minus infinity has probability zero in rows of any width, vectorised or not") {
  for (const DType dtype : {DType::f32, DType::f64})
    for (const int64_t width : {2, 3, 4, 8, 16, 17, 33}) {
      std::vector<double> row(size_t(width), -INFINITY);
      row[0] = 3;
      std::vector<double> wanted(size_t(width), 0.0);
      wanted[0] = 1;
      CHECK(to_vector<double>(softmax_forward(to_dtype(from_vector<double>({1, width}, row), dtype))) ==
            wanted);
    }
}

TEST_CASE("softmax: in f32 a NaN or infinity anywhere makes its whole row NaN, and no other") {
  for (const int64_t width : {1, 7, 15, 16, 17, 31, 32, 33, 47, 65})
    for (int64_t place = 0; place < width; ++place)
      for (const float special : {NAN, INFINITY}) {
        CAPTURE(width);
        CAPTURE(place);
        Tensor x = random_normal({3, width}, 0, 1, 1, 0, DType::f32);
        x.mutable_data<float>()[width + place] = special;
        const std::vector<float> y = to_vector<float>(softmax_forward(x));
        for (int64_t i = 0; i < 3 * width; ++i) REQUIRE(std::isnan(y[size_t(i)]) == (i / width == 1));
      }
}

TEST_CASE("softmax: in f32 what is far below the largest is 0, wherever the largest stands") {
  for (const int64_t width : {2, 8, 15, 16, 17, 32, 33, 50})
    for (int64_t place = 0; place < width; ++place)
      for (const float least : {-1e4f, -INFINITY}) {
        CAPTURE(width);
        CAPTURE(place);
        Tensor x = full({1, width}, least, DType::f32);
        x.mutable_data<float>()[place] = 3;
        const std::vector<float> y = to_vector<float>(softmax_forward(x));
        for (int64_t i = 0; i < width; ++i) REQUIRE(y[size_t(i)] == (i == place ? 1.0f : 0.0f));
      }
}

TEST_CASE("softmax: no columns and scalars are refused") {
  CHECK_THROWS_WITH_AS(softmax_forward(zeros({2, 0})), "softmax: x is [2, 0]; expected at least one column",
                       ShapeError);
  CHECK_THROWS_WITH_AS(softmax_forward(zeros({})), "softmax: x is []; expected rank 1 or more", ShapeError);
}
