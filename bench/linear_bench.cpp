#include <cmath>

#include "bench/support/bench_case.h"
#include "bench/support/shapes.h"
#include "ops/linear.h"
#include "tensor/error.h"

namespace limoe::bench {
namespace {

struct Product {
  int64_t rows, in, out;
};

void add_products(std::vector<BenchCase>& cases, const Product& p) {
  const std::string shape = concatenate(Shape{p.rows, p.in}, " x ", Shape{p.in, p.out});
  const double flop = 2.0 * double(p.rows) * double(p.in) * double(p.out);
  const double bytes = bytes_of(double(p.rows * p.in + p.in * p.out + p.rows * p.out));
  const double deviation = 1 / std::sqrt(double(p.in));
  cases.push_back(
      {.op = "linear",
       .pass = "forward",
       .shape = shape,
       .flop = flop,
       .bytes = bytes,
       .longest_sum = p.in,
       .make = [=](DType dtype) {
         const Tensor x = bench_normal({p.rows, p.in}, dtype), b = bench_normal({p.out}, dtype, 2);
         const Tensor kernel = bench_normal({p.in, p.out}, dtype, 1, deviation);
         return BenchCall([=] { return Tensors{linear_forward(x, kernel, b)}; });
       }});
  cases.push_back({.op = "linear",
                   .pass = "backward x",
                   .shape = shape,
                   .flop = flop,
                   .bytes = bytes,
                   .longest_sum = p.out,
                   .make = [=](DType dtype) {
                     const Tensor kernel = bench_normal({p.in, p.out}, dtype, 1, deviation);
                     const Tensor dy = bench_normal({p.rows, p.out}, dtype, 3);
                     return BenchCall([=] { return Tensors{linear_backward_x(kernel, dy)}; });
                   }});
  cases.push_back({.op = "linear",
                   .pass = "backward kernel",
                   .shape = shape,
                   .flop = flop,
                   .bytes = bytes,
                   .longest_sum = p.rows,
                   .make = [=](DType dtype) {
                     const Tensor x = bench_normal({p.rows, p.in}, dtype);
                     const Tensor dy = bench_normal({p.rows, p.out}, dtype, 3);
                     return BenchCall([=] { return Tensors{linear_backward_kernel(x, dy)}; });
                   }});
}

}  // namespace

std::vector<BenchCase> linear_bench_cases() {
  std::vector<BenchCase> cases;
  for (const TowerShape& tower : tower_shapes()) {
    const int64_t n = tower.tokens, d = tower.width, m = tower.mlp_width;
    for (const Product& p : {Product{n, d, 3 * d}, Product{n, d, d}, Product{n, d, m}, Product{n, m, d}})
      add_products(cases, p);
    add_products(cases, {n, d, tower.experts});  // the router
    cases.push_back({.op = "linear",
                     .pass = "backward bias",
                     .shape = concatenate(Shape{n, m}),
                     .bytes = bytes_of(double(n * m)),
                     .longest_sum = n,
                     .make = [=](DType dtype) {
                       const Tensor dy = bench_normal({n, m}, dtype, 3);
                       return BenchCall([=] { return Tensors{linear_backward_bias(dy)}; });
                     }});
  }
  return cases;
}

}  // namespace limoe::bench
