#include "ops/cast.h"

#include <doctest/doctest.h>

#include <cmath>
#include <optional>

#include "autograd/backward.h"
#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/device.h"
#include "tests/support/op_case.h"

using namespace limoe;
using namespace limoe::testing;

TEST_CASE("cast: to f64 and back is exact, and the gradient comes in the dtype of x") {
  for (const Shape& shape : {Shape{}, Shape{0, 3}, Shape{3, 33}})
    check_op({"cast", {normal(shape)}, [](const Vars& in) {
                return cast(cast(in[0], DType::f64), in[0].dtype());
              }});
  const Var x = leaf(from_vector<float>({2}, {1, 2}));
  backward({{cast(x, DType::f64), from_vector<double>({2}, {3, 4})}});
  CHECK_SAME_BITS(x.gradient(), from_vector<float>({2}, {3, 4}));
}

TEST_CASE("cast: a device rounds as the CPU does, without going there") {
  const std::optional<Device> device = device_under_test();
  if (!device) return;
  for (const Shape& shape : {Shape{}, Shape{0, 3}, Shape{3, 33}, Shape{4, 64}}) {
    const Tensor x = to_dtype(normal(shape), DType::f32), there = to_device(x, *device);
    const Tensor narrow = cast_forward(there, DType::bf16);
    CHECK_SAME_BITS(to_device(narrow, {}), to_dtype(x, DType::bf16));
    CHECK_SAME_BITS(to_device(cast_forward(narrow, DType::f32), {}),
                    to_dtype(to_dtype(x, DType::bf16), DType::f32));
    check_device({"cast",
                  {normal(shape)},
                  [](const Vars& in) { return cast(cast(in[0], DType::bf16), in[0].dtype()); }},
                 {.nmse_f32 = tolerance::kDeviceNmseBf16});
  }
  const Tensor ids = from_vector<int32_t>({3}, {-2, 0, 77});
  CHECK_SAME_BITS(to_device(cast_forward(to_device(ids, *device), DType::f32), {}),
                  to_dtype(ids, DType::f32));
  CHECK_THROWS_AS(cast_forward(to_device(zeros({2}), *device), DType::f64), DTypeError);
}

TEST_CASE("cast: rounds to nearest where it is narrower, keeps its tensor where nothing changes") {
  CHECK_SAME_BITS(cast(Var(from_vector<double>({2}, {0.1, 1e300})), DType::f32).value(),
                  from_vector<float>({2}, {0.1f, INFINITY}));
  CHECK_SAME_BITS(cast(Var(from_vector<int32_t>({2}, {3, -4})), DType::f32).value(),
                  from_vector<float>({2}, {3, -4}));
  const Tensor x = zeros({2});
  CHECK(cast(Var(x), DType::f32).value().shares_memory_with(x));
}

TEST_CASE("cast: numbers are not made integers silently") {
  CHECK_THROWS_WITH_AS(cast(Var(zeros({2})), DType::i32),
                       "cast: dtype is i32; expected a floating dtype because x is f32", DTypeError);
}
