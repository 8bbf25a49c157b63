// The benches on a device: every case runs there and agrees with the CPU, and a wrong answer is never timed.
#include "bench/support/device_bench.h"

#include <doctest/doctest.h>

#include <cmath>

#include "bench/support/bench_table.h"
#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/device.h"

using namespace limoe;
using namespace limoe::bench;

namespace {

// [100] on the device: the numbers of the CPU, one of them with `error` added.
DeviceCase copying(double error) {
  const auto make = [](double added) {
    return [=](DType dtype) {
      return BenchCall([=] {
        std::vector<double> y = to_vector<double>(bench_normal({100}, DType::f32));
        y[17] += added;
        return Tensors{on_bench_device(to_dtype(from_vector(Shape{100}, y), dtype))};
      });
    };
  };
  return {{.op = "copying", .pass = "forward", .shape = "[100]", .make = make(error)},
          {.op = "copying", .pass = "forward", .shape = "[100]", .make = make(0)}};
}

DeviceCase counting(int32_t there) {
  const auto make = [](int32_t last) {
    return [=](DType) {
      return BenchCall([=] {
        return Tensors{on_bench_device(from_vector(Shape{2}, std::vector<int32_t>{5000000, last}))};
      });
    };
  };
  return {{.op = "counting", .pass = "forward", .shape = "[2]", .make = make(there)},
          {.op = "counting", .pass = "forward", .shape = "[2]", .make = make(1)}};
}

std::string complaint_of(const DeviceCase& one, DType dtype = DType::f32) {
  try {
    expect_device_agrees(one.there, device_call(one, *testing::device_under_test(), dtype)(),
                         reference_outputs(one), dtype);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("device bench: every case agrees with the CPU at tiny shapes, in f32 and in bf16") {
  const std::optional<Device> device = testing::device_under_test();
  if (!device) return;
  const std::vector<DeviceCase> all = device_cases(*device, BenchSize::tiny);
  CHECK(all.size() > 50);
  for (const DeviceCase& one : all) {
    CHECK(one.there.name() == one.reference.name());
    CHECK(complaint_of(one, DType::f32) == "");
    if (!one.there.f32_alone) CHECK(complaint_of(one, DType::bf16) == "");
  }
}

TEST_CASE("device bench: a wrong answer is named and refused: a value, NaN, an integer, a shape, a number") {
  if (!testing::device_under_test()) return;
  CHECK(complaint_of(copying(0)) == "");
  CHECK(complaint_of(copying(1e-4)) == "");
  CHECK(complaint_of(copying(0), DType::bf16) == "");
  for (const double error : {1e-2, -1e-2, double(INFINITY), double(NAN)})
    CHECK(complaint_of(copying(error))
              .find("bench: copying/forward/[100] in f32 is wrong and is not timed: output 0 has a "
                    "normalised mean "
                    "squared error of ") == 0);
  CHECK(complaint_of(copying(1), DType::bf16).find("expected at most 0.0001") != std::string::npos);
  CHECK(complaint_of(counting(1)) == "");
  CHECK(complaint_of(counting(2)).ends_with("; expected at most 0"));
  DeviceCase one = copying(0);
  one.there.make = [](DType) { return [] { return Tensors{on_bench_device(zeros({3}))}; }; };
  CHECK(complaint_of(one).ends_with("output 0 is [3]; expected [100]"));
  one.there.make = [](DType) { return [] { return Tensors{}; }; };
  CHECK(complaint_of(one).ends_with("it gives 0 tensors; expected 1"));
}

TEST_CASE("device bench: sizes are another table of the same ops, and the place is what it was afterwards") {
  const auto names_at = [](BenchSize size) {
    const BenchPlaceScope scope({{}, size});
    return op_names(all_bench_cases());
  };
  CHECK(names_at(BenchSize::gpu) == names_at(BenchSize::tiny));
  CHECK(names_at(BenchSize::laptop) == names_at(BenchSize::tiny));
  CHECK(bench_place().device == Device{});
  CHECK(bench_place().size == BenchSize::laptop);
}
