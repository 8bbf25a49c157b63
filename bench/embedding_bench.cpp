#include "bench/support/bench_case.h"
#include "bench/support/bench_place.h"
#include "bench/support/shapes.h"
#include "ops/embedding.h"
#include "tensor/error.h"
#include "tensor/factory.h"
#include "tensor/random.h"

namespace limoe::bench {
namespace {

Tensor bench_ids(int64_t count, int64_t vocabulary) {
  std::vector<int32_t> ids(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i)
    ids[size_t(i)] = int32_t(random_below(uint64_t(vocabulary), 5, 5, uint64_t(i)));
  return on_bench_device(from_vector(Shape{count}, ids));
}

}  // namespace

std::vector<BenchCase> embedding_bench_cases() {
  std::vector<BenchCase> cases;
  for (const TowerShape& tower : tower_shapes()) {
    const int64_t tokens = tower.pairs * tower.sequences[1].length;
    const Shape table{tower.vocabulary, tower.width};
    const double rows = bytes_of(double(tokens * tower.width));
    const Tensor ids = bench_ids(tokens, tower.vocabulary);
    const std::string shape = concatenate(tokens, " of ", table);
    cases.push_back(
        {.op = "embedding", .pass = "forward", .shape = shape, .bytes = 2 * rows, .make = [=](DType dtype) {
           const Tensor values = bench_normal(table, dtype);
           return BenchCall([=] { return Tensors{embedding_forward(values, ids)}; });
         }});
    cases.push_back({.op = "embedding",
                     .pass = "backward",
                     .shape = shape,
                     .bytes = rows + bytes_of(double(table.element_count())),
                     .make = [=](DType dtype) {
                       const Tensor dy = bench_normal({tokens, table[1]}, dtype, 1);
                       return BenchCall([=] { return Tensors{embedding_backward(table, ids, dy)}; });
                     }});
  }
  return cases;
}

}  // namespace limoe::bench
