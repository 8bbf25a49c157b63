// Names of ops for a profiler.
#include "cuda/op_range.h"

#include <doctest/doctest.h>

#include "ops/gelu.h"
#include "tensor/factory.h"
#include "tests/support/device.h"
#include "tests/support/op_case.h"

#ifdef LIMOE_SIMULATED
#include "cuda/sim/op_range.h"

using namespace limoe;
using Strings = std::vector<std::string>;

TEST_CASE("op ranges: an op on a device is named when that is asked for, and on the CPU never") {
  const Tensor on_cpu = testing::normal({3, 5}),
               x = to_device(to_dtype(on_cpu, DType::f32), *testing::device_under_test());
  cuda::sim::take_op_ranges();
  cuda::name_ops(false);
  gelu_forward(x);
  CHECK(cuda::sim::take_op_ranges().empty());
  cuda::name_ops(true);
  gelu_forward(on_cpu);
  gelu_forward(x);
  gelu_backward(x, x);
  cuda::name_ops(false);
  CHECK(cuda::sim::take_op_ranges() == Strings{"gelu", "gelu backward"});
}

TEST_CASE("op ranges: they nest, and one that is begun is ended whatever is asked for meanwhile") {
  cuda::sim::take_op_ranges();
  cuda::name_ops(true);
  {
    const cuda::OpRange outer("moe");
    { const cuda::OpRange inner("linear"); }
    cuda::name_ops(false);
    const cuda::OpRange unnamed("softmax");
  }
  cuda::name_ops(true);
  { const cuda::OpRange next("add"); }
  cuda::name_ops(false);
  CHECK(cuda::sim::take_op_ranges() == Strings{"moe", " linear", "add"});
}
#endif
