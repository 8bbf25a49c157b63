#include "ops/adamw_update.h"

#include <doctest/doctest.h>

#include <optional>

#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/compare.h"
#include "tests/support/device.h"

using namespace limoe;
using namespace limoe::testing;

namespace {

struct State {
  Tensor w, g, m, v;

  State(int64_t count, DType dtype, Device device) {
    const auto drawn = [&](uint64_t stream) {
      const Tensor x = random_normal({count}, 0, 1, 5, stream, DType::f32);
      return to_device(to_dtype(x, dtype), device);
    };
    w = drawn(0);
    g = drawn(1);
    m = zeros({count}, dtype, device);
    v = zeros({count}, dtype, device);
  }
};

AdamWConstants constants_of(int64_t t) {
  return {0.9, 0.999, 1e-8, 1e-2, 0.1, t};
}

std::vector<DecayRun> runs_of(const std::vector<int64_t>& ends, bool first_decays) {
  std::vector<DecayRun> runs;
  for (size_t i = 0; i < ends.size(); ++i)
    runs.push_back({i == 0 ? 0 : ends[i - 1], ends[i], (i % 2 == 0) == first_decays});
  return runs;
}

void check_on_device(Device device, const std::vector<int64_t>& ends, bool first_decays) {
  const int64_t count = ends.empty() ? 0 : ends.back();
  State wanted(count, DType::f64, {}), got(count, DType::f32, device);
  Tensor rounded = empty({count}, DType::bf16, device);
  const std::vector<DecayRun> runs = runs_of(ends, first_decays);
  for (int64_t t = 1; t <= 3; ++t) {
    adamw_update(wanted.w, wanted.g, wanted.m, wanted.v, runs, constants_of(t));
    adamw_update(got.w, got.g, got.m, got.v, runs, constants_of(t), rounded);
  }
  for (const auto& [a, b] : {std::pair{got.w, wanted.w}, {got.m, wanted.m}, {got.v, wanted.v}}) {
    const Comparison result = close_in_mean(to_device(a, {}), b, tolerance::kDeviceNmseF32);
    CHECK_MESSAGE(result.ok, result.message);
  }
  CHECK_SAME_BITS(to_device(rounded, {}), to_dtype(to_device(got.w, {}), DType::bf16));
}

}  // namespace

TEST_CASE("adamw_update: a device agrees on one run, on many, in packs and without") {
  const std::optional<Device> device = device_under_test();
  if (!device) return;
  check_on_device(*device, {}, true);
  check_on_device(*device, {33}, true);
  check_on_device(*device, {16, 32, 80, 97}, false);
  check_on_device(*device, {3, 5, 40}, true);
  std::vector<int64_t> ends;
  for (int64_t i = 1; i <= 600; ++i) ends.push_back(4 * i);
  check_on_device(*device, ends, true);
}

TEST_CASE("adamw_update: decay follows the runs") {
  Tensor w = full({4}, 1), m = zeros({4}), v = zeros({4});
  adamw_update(w, zeros({4}), m, v, runs_of({1, 3, 4}, false), {0.9, 0.999, 1e-8, 0.5, 0.5, 1});
  CHECK_SAME_BITS(w, from_vector<float>({4}, {1, 0.75, 0.75, 1}));
}

TEST_CASE("adamw_update: arrays and runs that do not fit are refused by name") {
  Tensor w = zeros({4}), m = zeros({4}), v = zeros({3});
  const std::vector<DecayRun> runs = runs_of({4}, true);
  CHECK_THROWS_WITH_AS(adamw_update(w, w, m, v, runs, constants_of(1)),
                       "adamw_update: v is [3]; expected [4] because w is that", ShapeError);
  CHECK_THROWS_WITH_AS(adamw_update(w, w, m, m, runs_of({3}, true), constants_of(1)),
                       "adamw_update: runs end at 3; expected 4 like w", ValueError);
  CHECK_THROWS_WITH_AS(
      adamw_update(w, w, m, m, {{0, 2, true}, {2, 4, true}}, constants_of(1)),
      "adamw_update: runs[1] is 2..4; expected runs that follow each other and decay in turn", ValueError);
}
