// Cases on a device: checked against the CPU first, then timed by the device's own events.
#pragma once

#include <string>
#include <vector>

#include "bench/support/bench_case.h"
#include "bench/support/bench_place.h"

namespace limoe::bench {

// A case of the table as it is on the device, beside itself on the CPU.
struct DeviceCase {
  BenchCase there, reference;
};

// All cases that a device can run (bodies that are kept to be read are the CPU's alone), at one size.
std::vector<DeviceCase> device_cases(Device device, BenchSize size);

// What the CPU computes in f32.
Tensors reference_outputs(const DeviceCase& one);

// The call on the device, in f32 or bf16.
BenchCall device_call(const DeviceCase& one, Device device, DType dtype);

// The normalised mean squared error of the worst output, sum((got - wanted)^2) / sum(wanted^2), of a device
// in `dtype` against the CPU in f32 on the same numbers before they are rounded. Throws Error, by the case's
// name, for another number or shape of outputs, for integers that differ, and for an error above 1e-7 in f32
// or 1e-4 in bf16; NaN is above both.
double expect_device_agrees(const BenchCase& one, const Tensors& got, const Tensors& wanted, DType dtype);

struct DeviceTime {
  double least = 0, median = 0, most = 0;  // seconds
};

// Of `repetitions` calls, each timed alone, after as many bytes were written as no cache holds.
DeviceTime time_on_device(const BenchCall& call, Device device, int repetitions);

}  // namespace limoe::bench
