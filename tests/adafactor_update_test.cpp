#include "ops/adafactor_update.h"

#include <doctest/doctest.h>

#include <optional>

#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/compare.h"
#include "tests/support/device.h"

using namespace limoe;
using namespace limoe::testing;

namespace {

constexpr AdafactorConstants kConstants{0.9, 0.6, 1e-2, 1e-3};

Tensor drawn(int64_t count, uint64_t stream, DType dtype, Device device) {
  return to_device(to_dtype(random_normal({count}, 0, 1, 9, stream, DType::f32), dtype), device);
}

struct Result {
  std::vector<Tensor> tensors;
};

Result run_full(int64_t count, DType dtype, Device device) {
  Tensor w = drawn(count, 0, dtype, device), m = zeros({count}, dtype, device), v = zeros_like(m);
  for (uint64_t step = 1; step <= 2; ++step)
    adafactor_full(w, m, drawn(count, step, dtype, device), v, kConstants);
  return {{w, m, v}};
}

Result run_factored(const FactoredAxes& axes, DType dtype, Device device) {
  const int64_t count = axes.matrices * axes.rows * axes.columns;
  Tensor w = drawn(count, 0, dtype, device), m = zeros({count}, dtype, device);
  Tensor rows = zeros({axes.matrices, axes.rows}, dtype, device);
  Tensor columns = zeros({axes.matrices, axes.columns}, dtype, device);
  for (uint64_t step = 1; step <= 2; ++step)
    adafactor_factored(w, m, drawn(count, step, dtype, device), rows, columns, axes, kConstants);
  return {{w, m, rows, columns}};
}

void check_close(const Result& got, const Result& wanted) {
  for (size_t i = 0; i < got.tensors.size(); ++i) {
    INFO("result ", i);
    const Comparison result =
        close_in_mean(to_device(got.tensors[i], {}), wanted.tensors[i], tolerance::kDeviceNmseF32);
    CHECK_MESSAGE(result.ok, result.message);
  }
}

}  // namespace

TEST_CASE("adafactor_update: a device agrees, factored over neighbours and over axes that lie apart") {
  const std::optional<Device> device = device_under_test();
  if (!device) return;
  for (const int64_t count : {0, 1, 33, 300})
    check_close(run_full(count, DType::f32, *device), run_full(count, DType::f64, {}));
  // [33, 65]; [3, 8, 40]; [2, 5, 3, 7, 4] over its axes of 5 and 7.
  for (const FactoredAxes& axes : {FactoredAxes{1, 33, 65, 65, 1, 1}, FactoredAxes{3, 8, 40, 40, 1, 1},
                                   FactoredAxes{24, 5, 7, 84, 4, 3}})
    check_close(run_factored(axes, DType::f32, *device), run_factored(axes, DType::f64, {}));
}

TEST_CASE("adafactor_update: arrays that do not fit are refused by name") {
  Tensor w = zeros({6}), m = zeros({6}), rows = zeros({1, 2}), columns = zeros({1, 2});
  CHECK_THROWS_WITH_AS(adafactor_full(w, m, zeros({5}), m, kConstants),
                       "adafactor_full: g is [5]; expected [6] because w is that", ShapeError);
  CHECK_THROWS_WITH_AS(
      adafactor_factored(w, m, w, rows, columns, {.matrices = 1, .rows = 2, .columns = 3}, kConstants),
      "adafactor_factored: columns is [1, 2]; expected [1, 3] by its axes", ShapeError);
}
