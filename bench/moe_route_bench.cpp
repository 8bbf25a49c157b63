#include "bench/support/bench_case.h"
#include "bench/support/bench_place.h"
#include "bench/support/routing.h"
#include "bench/support/shapes.h"
#include "ops/moe_route.h"
#include "tensor/error.h"
#include "tensor/factory.h"

namespace limoe::bench {

std::vector<BenchCase> moe_route_bench_cases() {
  std::vector<BenchCase> cases;
  for (const TowerShape& tower : tower_shapes())
    for (const int64_t chosen : {1, 2})
      cases.push_back({.op = "moe_route",
                       .pass = "forward",
                       .shape = concatenate(Shape{tower.tokens, tower.experts}, ", top ", chosen),
                       .bytes = bytes_of(double(tower.tokens * (tower.experts + 3 * chosen))),
                       .f32_alone = true,
                       .make = [&tower, chosen](DType dtype) {
                         const Tensor probs = bench_probs(tower, dtype);
                         const Tensor group_of = zeros({tower.tokens}, DType::i32, bench_place().device);
                         return BenchCall([=] {
                           const Routing r = moe_route(probs, group_of, 1, {.experts_per_token = chosen});
                           return Tensors{r.expert_of, r.row_of, r.choice_of, r.row_begin};
                         });
                       }});
  return cases;
}

}  // namespace limoe::bench
