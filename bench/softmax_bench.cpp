// The router's rows, and rows as long as a class list.
#include "bench/support/bench_case.h"
#include "bench/support/bench_place.h"
#include "bench/support/shapes.h"
#include "ops/softmax.h"
#include "tensor/error.h"

namespace limoe::bench {

std::vector<BenchCase> softmax_bench_cases() {
  std::vector<BenchCase> cases;
  std::vector<Shape> shapes;
  for (const TowerShape& tower : tower_shapes()) shapes.push_back({tower.tokens, tower.experts});
  for (const Shape& shape : by_size<std::vector<Shape>>({{8192, 32}, {4096, 1000}},
                                                        {{54272, 32}, {50432, 197}, {4096, 1000}}, {{5, 33}}))
    shapes.push_back(shape);
  for (const Shape& shape : shapes) {
    const double array = bytes_of(double(shape.element_count()));
    cases.push_back({.op = "softmax",
                     .pass = "forward",
                     .shape = concatenate(shape),
                     .bytes = 2 * array,
                     .make = [shape](DType dtype) {
                       const Tensor x = bench_normal(shape, dtype);
                       return BenchCall([x] { return Tensors{softmax_forward(x)}; });
                     }});
    cases.push_back({.op = "softmax",
                     .pass = "backward",
                     .shape = concatenate(shape),
                     .bytes = 3 * array,
                     .make = [shape](DType dtype) {
                       const Tensor y = softmax_forward(bench_normal(shape, dtype));
                       const Tensor dy = bench_normal(shape, dtype, 1);
                       return BenchCall([y, dy] { return Tensors{softmax_backward(y, dy)}; });
                     }});
  }
  return cases;
}

}  // namespace limoe::bench
