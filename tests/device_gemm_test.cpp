// cuda/gemm.h by itself: what no op asks for (all transposes, strides, both tiles, epilogues) against plain
// loops in f64. That ops use it rightly is shown by their own tests, with check_device.
#include <doctest/doctest.h>

#include "cuda/gemm.h"
#include "cuda/runtime.h"
#include "tensor/backend.h"
#include "tensor/factory.h"
#include "tests/support/device.h"
#include "tests/support/op_case.h"

using namespace limoe;
using namespace limoe::testing;
using cuda::GemmTile;

namespace {

struct Case {
  int64_t m, n, k, batch = 1;
  bool transposed_a = false, transposed_b = false;
  int64_t gap = 0;  // elements between one row and the next, in all operands
  float beta = 0;
  bool bias = false, gelu = false, residual = false;
  GemmTile tile = GemmTile::small;
};

int64_t rows_of(const Case& c, bool a) {
  return a ? (c.transposed_a ? c.k : c.m) : (c.transposed_b ? c.n : c.k);
}
int64_t stride_of(const Case& c, bool a) {
  return (a ? (c.transposed_a ? c.m : c.k) : (c.transposed_b ? c.k : c.n)) + c.gap;
}

struct Result {
  Tensor c, before_gelu;
};

struct Inputs {
  Tensor a, b, c, bias, residual;
};

Inputs inputs_of(const Case& c, DType in, DType out) {
  const auto rounded = [](const Shape& shape, uint64_t stream, DType dtype) {
    return to_dtype(to_dtype(normal(shape, stream), dtype), DType::f64);
  };
  return {rounded({c.batch, rows_of(c, true), stride_of(c, true)}, 1, in),
          rounded({c.batch, rows_of(c, false), stride_of(c, false)}, 2, in),
          rounded({c.batch, c.m, c.n + c.gap}, 3, out), rounded({c.n}, 4, in),
          rounded({c.batch, c.m, c.n + c.gap}, 5, out)};
}

double gelu_of(double x) {
  return 0.5 * x * (1 + std::tanh(0.79788456080286535588 * x * (1 + 0.044715 * x * x)));
}

// Gaps hold what they held.
Result by_the_formula(const Case& c, const Inputs& in) {
  Result result{clone(in.c), clone(in.c)};
  const int64_t a_stride = stride_of(c, true), b_stride = stride_of(c, false);
  for (int64_t batch = 0; batch < c.batch; ++batch)
    for (int64_t row = 0; row < c.m; ++row)
      for (int64_t column = 0; column < c.n; ++column) {
        const int64_t at = (batch * c.m + row) * (c.n + c.gap) + column;
        const double* const a = in.a.data<double>() + batch * rows_of(c, true) * a_stride;
        const double* const b = in.b.data<double>() + batch * rows_of(c, false) * b_stride;
        double sum = c.beta == 0 ? 0 : double(c.beta) * in.c.data<double>()[at];
        for (int64_t k = 0; k < c.k; ++k)
          sum += a[c.transposed_a ? k * a_stride + row : row * a_stride + k] *
                 b[c.transposed_b ? column * b_stride + k : k * b_stride + column];
        if (c.bias) sum += in.bias.data<double>()[column];
        result.before_gelu.mutable_data<double>()[at] = sum;
        if (c.gelu) sum = gelu_of(sum);
        if (c.residual) sum += in.residual.data<double>()[at];
        result.c.mutable_data<double>()[at] = sum;
      }
  return result;
}

template <class T, class Out>
Result on_device(const Case& c, const Inputs& in) {
  const Device device = *device_under_test();
  const auto there = [&](const Tensor& x, DType dtype) { return to_device(to_dtype(x, dtype), device); };
  const Tensor a = there(in.a, dtype_of<T>), b = there(in.b, dtype_of<T>), bias = there(in.bias, dtype_of<T>);
  const Tensor residual = there(in.residual, dtype_of<Out>);
  Tensor y = there(in.c, dtype_of<Out>), before_gelu = there(in.c, dtype_of<Out>);
  const cuda::GemmShape shape{c.m, c.n, c.k, c.batch};
  Tensor workspace = empty({cuda::gemm_workspace(shape, c.tile)}, DType::f32, device);
  cuda::gemm<T, Out>(
      {}, shape,
      {a.device_data<T>(), stride_of(c, true), c.transposed_a, rows_of(c, true) * stride_of(c, true)},
      {b.device_data<T>(), stride_of(c, false), c.transposed_b, rows_of(c, false) * stride_of(c, false)},
      {y.mutable_device_data<Out>(), c.n + c.gap, c.beta, c.m * (c.n + c.gap)},
      {c.bias ? bias.device_data<T>() : nullptr, c.gelu,
       c.gelu ? before_gelu.mutable_device_data<Out>() : nullptr,
       c.residual ? residual.device_data<Out>() : nullptr},
      workspace.mutable_device_data<float>(), c.tile);
  backend_of(device).synchronize();
  return {to_device(y, {}), c.gelu ? to_device(before_gelu, {}) : Tensor()};
}

template <class T, class Out>
void check_kind(const Case& c, double allowed) {
  const Inputs in = inputs_of(c, dtype_of<T>, dtype_of<Out>);
  const Result got = on_device<T, Out>(c, in), wanted = by_the_formula(c, in);
  INFO("m ", c.m, " n ", c.n, " k ", c.k, " batch ", c.batch, " transposed ", c.transposed_a, c.transposed_b,
       " gap ", c.gap, " tile ", int(c.tile));
  for (const Comparison& result :
       {close_in_mean(got.c, wanted.c, allowed),
        c.gelu ? close_in_mean(got.before_gelu, wanted.before_gelu, allowed) : Comparison{}})
    CHECK_MESSAGE(result.ok, result.message);
}

void check(const Case& c) {
  if (!device_under_test()) return;
  if (c.tile == GemmTile::warpgroup && !cuda::has_warpgroup_products()) return;  // an A100
  check_kind<float, float>(c, tolerance::kDeviceNmseF32);
  check_kind<bf16, bf16>(c, tolerance::kDeviceNmseBf16);
  check_kind<bf16, float>(c, tolerance::kDeviceNmseF32);  // products of bf16 are exact in f32
}

}  // namespace

TEST_CASE("device gemm: all transposes, with all tiles, aligned rows and rows that are not") {
  for (const bool transposed_a : {false, true})
    for (const bool transposed_b : {false, true})
      for (const int64_t gap : {0, 8, 3})
        check({.m = 72,
               .n = 40,
               .k = 80,
               .transposed_a = transposed_a,
               .transposed_b = transposed_b,
               .gap = gap});
  for (const GemmTile tile : {GemmTile::large, GemmTile::warpgroup})
    for (const bool transposed_a : {false, true})
      for (const bool transposed_b : {false, true})
        check({.m = 136,
               .n = 129,
               .k = 48,
               .transposed_a = transposed_a,
               .transposed_b = transposed_b,
               .gap = transposed_a ? 7 : 0,
               .tile = tile});
}

TEST_CASE("device gemm: warpgroups make whole tiles and parts of them, from one step of k to many") {
  for (const bool transposed_a : {false, true})
    for (const bool transposed_b : {false, true})
      for (const int64_t k : {0, 16, 72, 448})
        check({.m = 264,
               .n = 272,
               .k = k,
               .transposed_a = transposed_a,
               .transposed_b = transposed_b,
               .tile = GemmTile::warpgroup});
  for (const int64_t n : {8, 128, 264})
    check({.m = 70,
           .n = n,
           .k = 1100,
           .batch = 2,
           .beta = 0.5f,
           .bias = true,
           .gelu = true,
           .residual = true,
           .tile = GemmTile::warpgroup});
}

TEST_CASE("device gemm: batches, beta, and every epilogue, with whole packs and with odd columns") {
  for (const int64_t n : {24, 33}) {
    check({.m = 10, .n = n, .k = 17, .batch = 3, .transposed_b = true, .bias = true});
    check({.m = 10, .n = n, .k = 16, .beta = 1});
    check({.m = 70, .n = n, .k = 16, .gap = 8, .beta = 0.5f, .bias = true, .residual = true});
    check({.m = 10, .n = n, .k = 16, .bias = true, .gelu = true, .residual = true});
    check({.m = 10, .n = n, .k = 0, .bias = true});
  }
  check({.m = 0, .n = 5, .k = 3});
  check({.m = 5, .n = 0, .k = 3});
  check({.m = 5, .n = 3, .k = 3, .batch = 0});
}

TEST_CASE(
    "device gemm: warpgroups take what has enough tiles for them, in pieces that fill an H100's waves") {
  if (!device_under_test()) return;
  const GemmTile best = cuda::has_warpgroup_products() ? GemmTile::warpgroup : GemmTile::large;
  CHECK(cuda::plan_gemm({54272, 768, 768}).tile == best);
  CHECK(cuda::plan_gemm({128, 66 * 256, 768}).tile == best);
  CHECK(cuda::plan_gemm({54272, 100, 768}).tile == GemmTile::large);  // less than half a tile across
  CHECK(cuda::plan_gemm({200, 200, 768}).tile == GemmTile::small);
  // 18 tiles of 128 x 256: seven pieces are 126 of 132 blocks; 72 tiles: five are 360 of 396.
  CHECK(cuda::plan_gemm({768, 768, 54272}, GemmTile::warpgroup).pieces == 7);
  CHECK(cuda::plan_gemm({768, 3072, 54272}, GemmTile::warpgroup).pieces == 5);
}

TEST_CASE("device gemm: a long k is cut into pieces that a second kernel adds, epilogue and all") {
  CHECK(cuda::plan_gemm({5, 7, 1100}).pieces == 2);
  CHECK(cuda::plan_gemm({768, 3072, 100000}).pieces > 1);
  CHECK(cuda::plan_gemm({100000, 3072, 768}).pieces == 1);
  CHECK(cuda::gemm_workspace({100000, 3072, 768}) == 0);
  check({.m = 5, .n = 7, .k = 1100, .transposed_a = true});
  check({.m = 9, .n = 16, .k = 1537, .batch = 2, .beta = 1, .bias = true, .gelu = true, .residual = true});
}
