#include "bench/support/device_bench.h"

#include <algorithm>
#include <cmath>

#include "bench/support/bench_table.h"
#include "cuda/runtime.h"
#include "tensor/backend.h"
#include "tensor/error.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"
#include "tensor/visit.h"

namespace limoe::bench {
namespace {

constexpr size_t kCacheBytes = size_t{256} << 20;  // more than any L2
constexpr int kWarmups = 3;

// The goals of this project for kernels (docs/kernels.md).
double allowed_error(DType dtype) {
  return dtype == DType::bf16 ? 1e-4 : 1e-7;
}

struct SquareSums {
  double error = 0, size = 0;
};

double widened(bf16 x) {
  return double(float(x));
}
double widened(double x) {
  return x;
}

template <class A, class B>
SquareSums sums_of(const A* a, const B* b, int64_t count) {
  SquareSums sums;
  for (int64_t i = 0; i < count; ++i) {
    const double x = widened(a[i]), y = widened(b[i]), difference = x == y ? 0 : x - y;
    sums.error += difference * difference;
    sums.size += y * y;
  }
  return sums;
}

// sum((a - b)^2) / sum(b^2); what differs where b is all 0 is infinitely wrong. Outputs of a GPU's benches
// have hundreds of millions of values, so threads share them, in runs whose sums are added in order.
double mean_error(const Tensor& a, const Tensor& b) {
  constexpr int64_t kRun = 1 << 16;
  const int64_t count = a.element_count();
  std::vector<SquareSums> runs(size_t((count + kRun - 1) / kRun));
  visit(a.dtype(), [&]<class A>(A) {
    visit(b.dtype(), [&]<class B>(B) {
      const A* const from_a = a.data<A>();
      const B* const from_b = b.data<B>();
      parallel_for(int64_t(runs.size()), 1, [&](int64_t begin, int64_t end) {
        for (int64_t run = begin; run < end; ++run)
          runs[size_t(run)] =
              sums_of(from_a + run * kRun, from_b + run * kRun, std::min(kRun, count - run * kRun));
      });
    });
  });
  SquareSums all;
  for (const SquareSums& run : runs) all.error += run.error, all.size += run.size;
  return all.error == 0 ? 0 : all.error / all.size;
}

double expect_output_agrees(const BenchCase& one, size_t output, const Tensor& got, const Tensor& wanted,
                            DType dtype) {
  const auto refuse = [&](const auto&... words) {
    throw Error("bench: ", one.name(), " in ", dtype, " is wrong and is not timed: output ", output,
                words...);
  };
  if (got.shape() != wanted.shape()) refuse(" is ", got.shape(), "; expected ", wanted.shape());
  const double error = mean_error(contiguous(to_device(got, {})), contiguous(wanted));
  const double allowed = wanted.dtype() == DType::i32 ? 0 : allowed_error(dtype);
  if (!(error <= allowed))
    refuse(" has a normalised mean squared error of ", error, "; expected at most ", allowed);
  return error;
}

struct OwnedEvent {
  cuda::Event event = cuda::make_event();
  ~OwnedEvent() { cuda::destroy(event); }
};

}  // namespace

std::vector<DeviceCase> device_cases(Device device, BenchSize size) {
  const auto cases_at = [size](Device at) {
    const BenchPlaceScope scope({at, size});
    return select_cases(all_bench_cases(), {}, false);
  };
  const std::vector<BenchCase> there = cases_at(device), reference = cases_at({});
  std::vector<DeviceCase> all;
  for (size_t i = 0; i < there.size(); ++i)
    if (!there[i].cpu_alone) all.push_back({there[i], reference[i]});
  return all;
}

Tensors reference_outputs(const DeviceCase& one) {
  const BenchPlaceScope scope({{}, bench_place().size});
  return one.reference.make(DType::f32)();
}

BenchCall device_call(const DeviceCase& one, Device device, DType dtype) {
  const BenchPlaceScope scope({device, bench_place().size});
  return one.there.make(dtype);
}

double expect_device_agrees(const BenchCase& one, const Tensors& got, const Tensors& wanted, DType dtype) {
  if (got.size() != wanted.size())
    throw Error("bench: ", one.name(), " in ", dtype, " is wrong and is not timed: it gives ", got.size(),
                " tensors; expected ", wanted.size());
  double worst = 0;
  for (size_t output = 0; output < got.size(); ++output)
    worst = std::max(worst, expect_output_agrees(one, output, got[output], wanted[output], dtype));
  return worst;
}

DeviceTime time_on_device(const BenchCall& call, Device device, int repetitions) {
  Tensor cache({int64_t(kCacheBytes / sizeof(int32_t))}, DType::i32, device);
  for (int i = 0; i < kWarmups; ++i) call();
  std::vector<double> seconds;
  for (int i = 0; i < repetitions; ++i) {
    // The device is still writing when the call's kernels are queued, so that it does not wait for the host
    // between them.
    backend_of(device).zero(cache.mutable_device_data<int32_t>(), kCacheBytes);
    const OwnedEvent begin, end;
    cuda::record(begin.event, {});
    call();
    cuda::record(end.event, {});
    seconds.push_back(cuda::seconds_between(begin.event, end.event));
  }
  std::sort(seconds.begin(), seconds.end());
  return {seconds.front(), seconds[seconds.size() / 2], seconds.back()};
}

}  // namespace limoe::bench
