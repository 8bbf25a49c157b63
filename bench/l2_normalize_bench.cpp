#include "bench/support/bench_case.h"
#include "bench/support/bench_place.h"
#include "ops/l2_normalize.h"
#include "tensor/error.h"

namespace limoe::bench {

std::vector<BenchCase> l2_normalize_bench_cases() {
  std::vector<BenchCase> cases;
  for (const Shape& shape :
       by_size<std::vector<Shape>>({{256, 96}, {4096, 512}}, {{4096, 512}, {65536, 512}}, {{11, 33}})) {
    const double array = bytes_of(double(shape.element_count()));
    cases.push_back({.op = "l2_normalize",
                     .pass = "forward",
                     .shape = concatenate(shape),
                     .bytes = 2 * array,
                     .longest_sum = shape[1],
                     .make = [shape](DType dtype) {
                       const Tensor x = bench_normal(shape, dtype);
                       return BenchCall([x] { return Tensors{l2_normalize_forward(x)}; });
                     }});
    cases.push_back({.op = "l2_normalize",
                     .pass = "backward",
                     .shape = concatenate(shape),
                     .bytes = 3 * array,
                     .longest_sum = shape[1],
                     .make = [shape](DType dtype) {
                       const Tensor x = bench_normal(shape, dtype), dy = bench_normal(shape, dtype, 1);
                       return BenchCall([x, dy] { return Tensors{l2_normalize_backward(x, dy)}; });
                     }});
  }
  return cases;
}

}  // namespace limoe::bench
