#include "bench/support/routing.h"

#include "bench/support/bench_place.h"
#include "ops/softmax.h"
#include "tensor/factory.h"

namespace limoe::bench {

// Made on the CPU, so that they are the same bits, and so the same choices, on every device.
Tensor bench_probs(const TowerShape& tower, DType dtype) {
  Tensor probs;
  {
    const BenchPlaceScope on_cpu({{}, bench_place().size});
    probs = to_dtype(softmax_forward(bench_normal({tower.tokens, tower.experts}, DType::f32, 70)), dtype);
  }
  return on_bench_device(probs);
}

Routing bench_routing(const TowerShape& tower) {
  return moe_route(bench_probs(tower, DType::f32), zeros({tower.tokens}, DType::i32, bench_place().device), 1,
                   RouteOptions{});
}

Tensor uneven_row_begin(int64_t rows, int64_t experts) {
  std::vector<int32_t> begin{0};
  const auto weight = [&](int64_t e) { return experts == 1 ? 1.0 : 0.5 + double(e) / double(experts - 1); };
  double sum = 0;
  for (int64_t e = 0; e < experts; ++e)
    begin.push_back(int32_t(double(rows) * (sum += weight(e)) / double(experts)));
  begin.back() = int32_t(rows);
  return on_bench_device(from_vector(Shape{experts + 1}, begin));
}

}  // namespace limoe::bench
