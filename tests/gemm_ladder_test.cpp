#include <doctest/doctest.h>

#include "bench/ladder/gemm/ladder.h"
#include "cuda/runtime.h"
#include "tensor/backend.h"
#include "tensor/factory.h"
#include "tests/support/device.h"
#include "tests/support/op_case.h"

using namespace limoe;
using namespace limoe::testing;

namespace {

Tensor by_the_formula(const Tensor& a, const Tensor& b) {
  const int64_t m = a.dim(0), k = a.dim(1), n = b.dim(1);
  Tensor c = zeros({m, n}, DType::f64);
  for (int64_t row = 0; row < m; ++row)
    for (int64_t column = 0; column < n; ++column)
      for (int64_t i = 0; i < k; ++i)
        c.mutable_data<double>()[row * n + column] +=
            a.data<double>()[row * k + i] * b.data<double>()[i * n + column];
  return c;
}

template <class T, class Rung>
void check_rung(const char* name, Rung* rung, ladder::Product of) {
  if (!device_under_test()) return;
  const Device device = *device_under_test();
  const Tensor a = to_dtype(normal({of.m, of.k}, 1), dtype_of<T>),
               b = to_dtype(normal({of.k, of.n}, 2), dtype_of<T>);
  const Tensor a_there = to_device(a, device), b_there = to_device(b, device);
  Tensor c = to_device(full({of.m, of.n}, NAN), device);
  rung({}, of, a_there.template device_data<T>(), b_there.template device_data<T>(),
       c.mutable_device_data<float>());
  backend_of(device).synchronize();
  const Comparison result =
      close_in_mean(to_device(c, {}), by_the_formula(to_dtype(a, DType::f64), to_dtype(b, DType::f64)),
                    tolerance::kDeviceNmseF32);
  CHECK_MESSAGE(result.ok, name, " ", of.m, " x ", of.k, " x ", of.n, ": ", result.message);
}

}  // namespace

TEST_CASE("gemm ladder: every rung gives the product, on whole tiles and on odd sizes") {
  for (const ladder::Product of : {ladder::Product{1, 1, 1}, {64, 64, 32}, {33, 65, 17}, {130, 31, 40}}) {
    check_rung<float>("naive", ladder::gemm_naive, of);
    check_rung<float>("shared tiles", ladder::gemm_shared_tiles, of);
    check_rung<float>("register tiles", ladder::gemm_register_tiles, of);
    check_rung<float>("async copies", ladder::gemm_async_copies, of);
    check_rung<float>("production", ladder::gemm_production, of);
    check_rung<bf16>("tensor cores", ladder::gemm_tensor_cores, of);
    check_rung<bf16>("production", ladder::gemm_production_bf16, of);
    if (cuda::has_warpgroup_products())
      check_rung<bf16>("production by warpgroups", ladder::gemm_production_warpgroups, of);
  }
}
