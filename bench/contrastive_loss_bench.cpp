#include "bench/support/bench_case.h"
#include "bench/support/bench_place.h"
#include "ops/contrastive_loss.h"
#include "ops/l2_normalize.h"
#include "tensor/error.h"
#include "tensor/factory.h"

namespace limoe::bench {
namespace {

constexpr int64_t kChunk = 512;

struct Pairs {
  Tensor image, text, log_scale;
};

Pairs bench_pairs(const Shape& shape, DType dtype) {
  return {l2_normalize_forward(bench_normal(shape, dtype)),
          l2_normalize_forward(bench_normal(shape, dtype, 1)), full({}, 2, dtype, bench_place().device)};
}

}  // namespace

std::vector<BenchCase> contrastive_loss_bench_cases() {
  std::vector<BenchCase> cases;
  for (const Shape& shape : by_size<std::vector<Shape>>(
           {{256, 96}, {1024, 384}, {4096, 512}}, {{256, 512}, {4096, 512}, {16384, 512}}, {{11, 16}})) {
    const double product = 2.0 * double(shape[0]) * double(shape[0]) * double(shape[1]);
    cases.push_back({.op = "contrastive_loss",
                     .pass = "forward",
                     .shape = concatenate(shape),
                     .flop = product,
                     .longest_sum = shape[0],
                     .f32_alone = true,
                     .make = [shape](DType dtype) {
                       const Pairs p = bench_pairs(shape, dtype);
                       return BenchCall([p] {
                         return Tensors{contrastive_loss_forward(p.image, p.text, p.log_scale, kChunk).loss};
                       });
                     }});
    cases.push_back({.op = "contrastive_loss",
                     .pass = "backward",
                     .shape = concatenate(shape),
                     .flop = 3 * product,
                     .longest_sum = shape[0],
                     .f32_alone = true,
                     .make = [shape](DType dtype) {
                       const Pairs p = bench_pairs(shape, dtype);
                       const ContrastiveOutput out =
                           contrastive_loss_forward(p.image, p.text, p.log_scale, kChunk);
                       const Tensor dloss = full({}, 1, dtype, bench_place().device);
                       return BenchCall([=] {
                         const ContrastiveGradients d = contrastive_loss_backward(
                             p.image, p.text, p.log_scale, out.row_lse, out.column_lse, dloss, kChunk);
                         return Tensors{d.dimage, d.dtext, d.dlog_scale};
                       });
                     }});
  }
  return cases;
}

}  // namespace limoe::bench
