#include "ops/grouped_linear.h"

#include <doctest/doctest.h>

#include "cuda/grouped_linear.h"
#include "cuda/runtime.h"
#include "tensor/backend.h"
#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/device.h"
#include "tests/support/op_case.h"

using namespace limoe;
using namespace limoe::testing;

namespace {

OpCase grouped(const std::vector<int32_t>& row_begin, int64_t rows, int64_t inputs, int64_t outputs) {
  const int64_t experts = int64_t(row_begin.size()) - 1;
  const Tensor begins = from_vector<int32_t>({experts + 1}, row_begin);
  return {
      "grouped_linear",
      {normal({rows, inputs}, 1), normal({experts, inputs, outputs}, 2, 0.5), normal({experts, outputs}, 3)},
      [=](const Vars& in) { return grouped_linear(in[0], in[1], in[2], beside(in[0], begins)); },
      std::max({rows, inputs, outputs})};
}

// One product an element, straight from the formula.
Tensor by_the_formula(const Tensor& rows, const Tensor& kernel, const Tensor& bias,
                      const std::vector<int32_t>& row_begin) {
  const int64_t inputs = kernel.dim(1), outputs = kernel.dim(2);
  Tensor y = zeros({rows.dim(0), outputs}, DType::f64);
  for (size_t expert = 0; expert + 1 < row_begin.size(); ++expert)
    for (int64_t row = row_begin[expert]; row < row_begin[expert + 1]; ++row)
      for (int64_t output = 0; output < outputs; ++output) {
        double sum = bias.data<double>()[expert * outputs + output];
        for (int64_t input = 0; input < inputs; ++input)
          sum += rows.data<double>()[row * inputs + input] *
                 kernel.data<double>()[(expert * inputs + input) * outputs + output];
        y.mutable_data<double>()[row * outputs + output] = sum;
      }
  return y;
}

}  // namespace

TEST_CASE("grouped_linear: gradient, f32, views, threads and memory on uneven experts") {
  check_op(grouped({0, 0}, 0, 3, 2));             // no rows
  check_op(grouped({0, 1}, 1, 1, 1));             // one of everything
  check_op(grouped({0, 3, 3, 5}, 7, 4, 3));       // an expert without rows, two rows unused
  check_op(grouped({0, 0, 6, 6, 6}, 6, 3, 5));    // all rows on one expert
  check_op(grouped({0, 1, 3, 6, 10}, 10, 5, 2));  // 1, 2, 3, 4 rows
}

TEST_CASE("grouped_linear: 0 to 17 rows an expert agree with the formula") {
  std::vector<int32_t> row_begin{0};
  for (int32_t rows = 0; rows <= 17; ++rows) row_begin.push_back(row_begin.back() + rows);
  const int64_t rows = row_begin.back() + 5;
  for (const auto& [inputs, outputs] : {std::pair<int64_t, int64_t>{31, 33}, {1, 17}, {16, 1}}) {
    const OpCase op_case = grouped(row_begin, rows, inputs, outputs);
    const Tensor y = grouped_linear_forward(op_case.inputs[0], op_case.inputs[1], op_case.inputs[2],
                                            from_vector<int32_t>({19}, row_begin));
    CHECK_CLOSE(y, by_the_formula(op_case.inputs[0], op_case.inputs[1], op_case.inputs[2], row_begin),
                tolerance::kGoldenF64);
  }
}

TEST_CASE("grouped_linear: a device agrees on uneven experts, unused rows and odd widths") {
  check_device(grouped({0, 0}, 0, 3, 2));
  check_device(grouped({0, 3, 3, 5}, 7, 4, 3));
  check_device(grouped({0, 0, 70, 70, 70}, 70, 33, 16));  // all rows on one expert
  check_device(grouped({0, 64, 129, 130}, 200, 24, 40));  // whole tiles, and rows nobody uses
  check_device(grouped({0, 130, 130, 257}, 257, 8, 65));
  std::vector<int32_t> row_begin{0};
  for (int32_t rows = 0; rows <= 17; ++rows) row_begin.push_back(row_begin.back() + rows);
  check_device(grouped(row_begin, row_begin.back() + 5, 16, 24));
  check_device(grouped({0, 2, 9}, 9, 129, 7));
  check_device(grouped({0, 2, 9}, 9, 5, 197));
}

namespace {

struct OnDevice {
  Tensor y, drows, dkernel;
};

template <class T>
OnDevice on_device(const std::vector<int32_t>& row_begin, cuda::GroupedShape shape) {
  const Device device = *device_under_test();
  const auto there = [&](const Tensor& x) { return to_device(to_dtype(x, dtype_of<T>), device); };
  const Tensor rows = there(normal({shape.rows, shape.inputs}, 1)),
               dy = there(normal({shape.rows, shape.outputs}, 2));
  const Tensor kernel = there(normal({shape.experts, shape.inputs, shape.outputs}, 3));
  const Tensor bias = there(normal({shape.experts, shape.outputs}, 4));
  const Tensor begins = to_device(from_vector<int32_t>({shape.experts + 1}, row_begin), device);
  const int32_t* const begin = begins.device_data<int32_t>();
  Tensor y = empty_like(dy), drows = empty_like(rows), dkernel = empty_like(kernel);
  cuda::grouped_linear_forward<T>({}, shape, rows.device_data<T>(), kernel.device_data<T>(),
                                  bias.device_data<T>(), begin, y.mutable_device_data<T>());
  cuda::grouped_linear_backward_rows<T>({}, shape, kernel.device_data<T>(), begin, dy.device_data<T>(),
                                        drows.mutable_device_data<T>());
  cuda::grouped_linear_backward_kernel<T>({}, shape, rows.device_data<T>(), begin, dy.device_data<T>(),
                                          dkernel.mutable_device_data<T>());
  return {to_device(y, {}), to_device(drows, {}), to_device(dkernel, {})};
}

template <class T>
void check_large_tiles(const std::vector<int32_t>& row_begin, cuda::GroupedShape shape, double allowed) {
  shape.tile = cuda::GemmTile::small;
  const OnDevice wanted = on_device<T>(row_begin, shape);
  for (const cuda::GemmTile tile : {cuda::GemmTile::large, cuda::GemmTile::warpgroup}) {
    if (tile == cuda::GemmTile::warpgroup && !cuda::has_warpgroup_products()) continue;  // an A100
    shape.tile = tile;
    CAPTURE(int(tile));
    const OnDevice got = on_device<T>(row_begin, shape);
    for (const Comparison& result :
         {close_in_mean(got.y, wanted.y, allowed), close_in_mean(got.drows, wanted.drows, allowed),
          close_in_mean(got.dkernel, wanted.dkernel, allowed)})
      CHECK_MESSAGE(result.ok, result.message);
  }
}

}  // namespace

TEST_CASE("grouped_linear: large tiles on a device give what small ones give") {
  if (!device_under_test()) return;
  check_large_tiles<float>({0, 130, 130, 140}, {3, 150, 40, 132}, tolerance::kDeviceNmseF32);
  check_large_tiles<bf16>({0, 130, 130, 140}, {3, 150, 40, 132}, tolerance::kDeviceNmseBf16);
  check_large_tiles<bf16>({0, 300, 300, 370, 371}, {4, 400, 264, 392}, tolerance::kDeviceNmseBf16);
}

TEST_CASE("grouped_linear: on a device a table that does not fit writes nothing outside") {
  if (!device_under_test()) return;
  for (const std::vector<int32_t>& row_begin :
       {std::vector<int32_t>{-5, 3, 2, 900}, {0, 70, 0, 70}, {7, -1, 2147483647, -2147483647}})
    on_device<float>(row_begin, {3, 70, 5, 7});
  backend_of(*device_under_test()).synchronize();
}

TEST_CASE("grouped_linear: many tiles have the same bits on any number of threads") {
  for (const std::vector<int32_t>& row_begin :
       {std::vector<int32_t>{0, 700, 700, 1003}, {0, 0, 1024, 1024}}) {
    CHECK(threads_agree(grouped(row_begin, 1024, 48, 420)).ok);
    CHECK(threads_agree(grouped(row_begin, 1024, 420, 48)).ok);
  }
}

TEST_CASE("grouped_linear: f32 agrees with f64 on wide layers") {
  const Comparison agree = f32_agrees(grouped({0, 40, 40, 57}, 64, 200, 400));
  CHECK_MESSAGE(agree.ok, agree.message);
}

TEST_CASE("grouped_linear: an expert's rows do not see the other experts' loads, bit for bit") {
  // Rows 0..4 of expert 1, once behind three rows of expert 0 and once behind none.
  const Tensor rows = normal({5, 24}, 1), kernel = normal({2, 24, 40}, 2), bias = normal({2, 40}, 3);
  std::vector<double> padded = to_vector<double>(normal({3, 24}, 4));
  for (const double value : to_vector<double>(rows)) padded.push_back(value);
  const Tensor alone = grouped_linear_forward(rows, kernel, bias, from_vector<int32_t>({3}, {0, 0, 5}));
  const Tensor behind = grouped_linear_forward(from_vector<double>({8, 24}, padded), kernel, bias,
                                               from_vector<int32_t>({3}, {0, 3, 8}));
  CHECK_SAME_BITS(contiguous(behind.slice(0, 3, 8)), alone);
}

TEST_CASE("grouped_linear: unused rows and experts without rows get zeros, whatever the buffer held") {
  const OpCase op_case = grouped({0, 2, 2}, 4, 3, 2);
  const Tensor begins = from_vector<int32_t>({3}, {0, 2, 2}), dy = full({4, 2}, 1, DType::f64);
  const std::vector<double> y = to_vector<double>(
      grouped_linear_forward(op_case.inputs[0], op_case.inputs[1], op_case.inputs[2], begins));
  const std::vector<double> drows =
      to_vector<double>(grouped_linear_backward_rows(op_case.inputs[1], begins, dy));
  const std::vector<double> dkernel =
      to_vector<double>(grouped_linear_backward_kernel(op_case.inputs[0], begins, dy));
  for (const size_t i : {4, 5, 6, 7}) CHECK(y[i] == 0);
  for (size_t i = 6; i < 12; ++i) CHECK(drows[i] == 0);
  for (size_t i = 6; i < 12; ++i) CHECK(dkernel[i] == 0);
  CHECK(to_vector<double>(grouped_linear_backward_bias(begins, dy)) == std::vector<double>{2, 2, 0, 0});
}

TEST_CASE("grouped_linear: sizes and row tables that do not fit are refused by name") {
  const auto run = [](const Shape& kernel, const Shape& bias, const std::vector<int32_t>& row_begin) {
    return grouped_linear_forward(zeros({4, 3}), zeros(kernel), zeros(bias),
                                  from_vector<int32_t>({int64_t(row_begin.size())}, row_begin));
  };
  CHECK_THROWS_WITH_AS(
      run({2, 4, 5}, {2, 5}, {0, 2, 4}),
      "grouped_linear: kernel is [2, 4, 5]; expected size 3 on axis 1 because rows is [4, 3]", ShapeError);
  CHECK_THROWS_WITH_AS(run({2, 3, 5}, {5}, {0, 2, 4}),
                       "grouped_linear: bias is [5]; expected [2, 5] because kernel is [2, 3, 5]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(run({2, 3, 5}, {2, 5}, {0, 2}),
                       "grouped_linear: row_begin is [2]; expected [3] because there are 2 experts",
                       ShapeError);
  CHECK_THROWS_WITH_AS(run({2, 3, 5}, {2, 5}, {0, 2, 5}),
                       "grouped_linear: row_begin holds 5 at [2]; expected 2..4", ValueError);
  CHECK_THROWS_WITH_AS(run({2, 3, 5}, {2, 5}, {0, 3, 2}),
                       "grouped_linear: row_begin holds 2 at [2]; expected 3..4", ValueError);
  CHECK_THROWS_WITH_AS(run({2, 3, 5}, {2, 5}, {1, 3, 4}),
                       "grouped_linear: row_begin holds 1 at [0]; expected 0", ValueError);
}
