#include "bench/support/routing.h"

#include "ops/softmax.h"
#include "tensor/factory.h"

namespace limoe::bench {

Tensor bench_probs(const TowerShape& tower, DType dtype) {
  return to_dtype(softmax_forward(bench_normal({tower.tokens, tower.experts}, DType::f32, 70)), dtype);
}

Routing bench_routing(const TowerShape& tower) {
  return moe_route(bench_probs(tower, DType::f32), zeros({tower.tokens}, DType::i32), 1, RouteOptions{});
}

Tensor uneven_row_begin(int64_t rows, int64_t experts) {
  std::vector<int32_t> begin{0};
  const auto weight = [&](int64_t e) { return experts == 1 ? 1.0 : 0.5 + double(e) / double(experts - 1); };
  double sum = 0;
  for (int64_t e = 0; e < experts; ++e)
    begin.push_back(int32_t(double(rows) * (sum += weight(e)) / double(experts)));
  begin.back() = int32_t(rows);
  return from_vector(Shape{experts + 1}, begin);
}

}  // namespace limoe::bench
