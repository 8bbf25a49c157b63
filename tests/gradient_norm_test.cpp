#include "ops/gradient_norm.h"

#include <doctest/doctest.h>

#include <cmath>
#include <optional>

#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/compare.h"
#include "tests/support/device.h"

using namespace limoe;
using namespace limoe::testing;

namespace {

double norm_of(const Tensor& gradients) {
  return item(gradient_norm_forward(gradients));
}

Tensor clipped(Tensor gradients, double most) {
  clip_by_norm(gradients, gradient_norm_forward(gradients), most);
  return to_device(gradients, {});
}

}  // namespace

TEST_CASE("gradient_norm: a device agrees on odd counts and many blocks, and clips by what it found") {
  const std::optional<Device> device = device_under_test();
  if (!device) return;
  for (const int64_t count : {0, 1, 33, 257, 20003})
    for (const DType dtype : {DType::f32, DType::bf16}) {
      const Tensor x = to_dtype(random_normal({count}, 0, 1, 3, 0, DType::f32), dtype);
      const Tensor exact = to_dtype(x, DType::f64);
      const double norm = norm_of(exact);
      CHECK(norm_of(to_device(x, *device)) == doctest::Approx(norm).epsilon(1e-12));
      if (count == 0) continue;
      const Comparison result =
          close_in_mean(clipped(to_device(x, *device), norm / 2), clipped(clone(exact), norm / 2),
                        dtype == DType::f32 ? tolerance::kDeviceNmseF32 : tolerance::kDeviceNmseBf16);
      CHECK_MESSAGE(result.ok, result.message);
      CHECK_SAME_BITS(clipped(to_device(x, *device), norm * 2), x);
    }
}

TEST_CASE("gradient_norm: neither large nor small gradients are lost, and what is not finite clips nothing") {
  std::vector<Device> devices{Device{}};
  if (const std::optional<Device> device = device_under_test()) devices.push_back(*device);
  for (const Device& device : devices) {
    CHECK(norm_of(to_device(full({16}, 1e30), device)) == doctest::Approx(4e30).epsilon(1e-6));
    CHECK(norm_of(to_device(full({16}, 1e-30), device)) == doctest::Approx(4e-30).epsilon(1e-6));
    for (const float bad : {NAN, INFINITY}) {
      const Tensor x = from_vector<float>({2}, {bad, 3});
      CHECK_FALSE(std::isfinite(norm_of(to_device(x, device))));
      CHECK(to_vector<float>(clipped(to_device(clone(x), device), 1))[1] == 3.0f);
    }
  }
}

TEST_CASE("gradient_norm: a strided view, another norm and a limit of nothing are refused by name") {
  Tensor x = zeros({2, 3}), view = x.transpose(0, 1);
  CHECK_THROWS_WITH_AS(gradient_norm_forward(view),
                       "gradient_norm: gradients is a strided view [3, 2]; expected contiguous memory",
                       ShapeError);
  CHECK_THROWS_WITH_AS(clip_by_norm(x, zeros({}), 1), "clip_by_norm: norm is f32; expected f64", DTypeError);
  CHECK_THROWS_WITH_AS(clip_by_norm(x, zeros({}, DType::f64), 0),
                       "clip_by_norm: most is 0; expected more than 0", ValueError);
}
