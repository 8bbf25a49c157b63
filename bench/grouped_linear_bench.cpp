// The experts' products at the loads of a training step, uneven, and at the few rows an expert gets of a
// small batch.
#include <cmath>

#include "bench/support/bench_case.h"
#include "bench/support/bench_place.h"
#include "bench/support/routing.h"
#include "bench/support/shapes.h"
#include "ops/grouped_linear.h"
#include "tensor/error.h"

namespace limoe::bench {
namespace {

struct Experts {
  int64_t rows, in, out, count;
};

void add_experts(std::vector<BenchCase>& cases, const Experts& e) {
  const std::string shape = concatenate(Shape{e.rows, e.in}, " x ", Shape{e.count, e.in, e.out});
  const double flop = 2.0 * double(e.rows) * double(e.in) * double(e.out);
  const double bytes = bytes_of(double(e.rows * e.in + e.count * e.in * e.out + e.rows * e.out));
  const Tensor row_begin = uneven_row_begin(e.rows, e.count);
  const double deviation = 1 / std::sqrt(double(e.in));
  cases.push_back({.op = "grouped_linear",
                   .pass = "forward",
                   .shape = shape,
                   .flop = flop,
                   .bytes = bytes,
                   .longest_sum = e.in,
                   .make = [=](DType dtype) {
                     const Tensor rows = bench_normal({e.rows, e.in}, dtype);
                     const Tensor kernel = bench_normal({e.count, e.in, e.out}, dtype, 1, deviation);
                     const Tensor bias = bench_normal({e.count, e.out}, dtype, 2);
                     return BenchCall(
                         [=] { return Tensors{grouped_linear_forward(rows, kernel, bias, row_begin)}; });
                   }});
  cases.push_back({.op = "grouped_linear",
                   .pass = "backward rows",
                   .shape = shape,
                   .flop = flop,
                   .bytes = bytes,
                   .longest_sum = e.out,
                   .make = [=](DType dtype) {
                     const Tensor kernel = bench_normal({e.count, e.in, e.out}, dtype, 1, deviation);
                     const Tensor dy = bench_normal({e.rows, e.out}, dtype, 3);
                     return BenchCall(
                         [=] { return Tensors{grouped_linear_backward_rows(kernel, row_begin, dy)}; });
                   }});
  cases.push_back({.op = "grouped_linear",
                   .pass = "backward kernel",
                   .shape = shape,
                   .flop = flop,
                   .bytes = bytes,
                   .longest_sum = e.rows,
                   .make = [=](DType dtype) {
                     const Tensor rows = bench_normal({e.rows, e.in}, dtype);
                     const Tensor dy = bench_normal({e.rows, e.out}, dtype, 3);
                     return BenchCall(
                         [=] { return Tensors{grouped_linear_backward_kernel(rows, row_begin, dy)}; });
                   }});
}

}  // namespace

std::vector<BenchCase> grouped_linear_bench_cases() {
  std::vector<BenchCase> cases;
  for (const TowerShape& t : tower_shapes()) {
    add_experts(cases, {t.tokens, t.width, t.mlp_width, t.experts});
    add_experts(cases, {t.tokens, t.mlp_width, t.width, t.experts});
  }
  const std::vector<int64_t> few = by_size<std::vector<int64_t>>({8, 16, 32, 64}, {8, 16, 32, 64}, {});
  for (const int64_t rows_each : few) add_experts(cases, {8 * rows_each, 768, 3072, 8});
  return cases;
}

}  // namespace limoe::bench
