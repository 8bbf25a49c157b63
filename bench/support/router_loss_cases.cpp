#include "bench/support/router_loss_cases.h"

#include "bench/support/bench_place.h"
#include "bench/support/routing.h"
#include "bench/support/shapes.h"
#include "tensor/error.h"
#include "tensor/factory.h"

namespace limoe::bench {

std::vector<BenchCase> router_loss_cases(const RouterLoss& loss) {
  std::vector<BenchCase> cases;
  for (const TowerShape& tower : tower_shapes()) {
    const Shape shape{tower.tokens, tower.experts};
    const double array = bytes_of(double(shape.element_count()));
    const auto rows = [loss, &tower, shape](DType dtype) {
      return loss.of_probabilities ? bench_probs(tower, dtype) : bench_normal(shape, dtype);
    };
    const Tensor group_of = zeros({tower.tokens}, DType::i32, bench_place().device);
    cases.push_back({.op = loss.op,
                     .pass = "forward",
                     .shape = concatenate(shape),
                     .bytes = array,
                     .longest_sum = tower.tokens,
                     .f32_alone = true,
                     .make = [=](DType dtype) {
                       const Tensor x = rows(dtype);
                       return BenchCall([=] { return Tensors{loss.forward(x, group_of)}; });
                     }});
    cases.push_back({.op = loss.op,
                     .pass = "backward",
                     .shape = concatenate(shape),
                     .bytes = 2 * array,
                     .longest_sum = tower.tokens,
                     .f32_alone = true,
                     .make = [=](DType dtype) {
                       const Tensor x = rows(dtype);
                       const Tensor dloss =
                           full({}, 1, loss.forward(x, group_of).dtype(), bench_place().device);
                       return BenchCall([=] { return Tensors{loss.backward(x, group_of, dloss)}; });
                     }});
  }
  return cases;
}

}  // namespace limoe::bench
