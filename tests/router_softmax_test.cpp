#include "ops/router_softmax.h"

#include <doctest/doctest.h>

#include <memory>
#include <numeric>

#include "tensor/factory.h"

using namespace limoe;

namespace {

// p of every token, row by row, and its log-sum.
std::vector<double> softmax_rows(const Tensor& logits) {
  std::vector<int32_t> tokens(size_t(logits.dim(0)));
  std::iota(tokens.begin(), tokens.end(), 0);
  const int64_t experts = logits.dim(1);
  std::vector<double> rows;
  for_each_softmax(logits.data<double>(), tokens, experts, [&](int64_t, const double* p, double log_sum) {
    rows.insert(rows.end(), p, p + experts);
    rows.push_back(log_sum);
  });
  return rows;
}

}  // namespace

TEST_CASE("router softmax: the bits do not depend on where the scratch memory lies") {
  // Blocks of odd sizes before it, so that it lies at every offset that the allocator gives.
  const Tensor logits = random_normal({71, 3}, 0, 1, 1, 0, DType::f64);
  const std::vector<double> first = softmax_rows(logits);
  std::vector<std::unique_ptr<char[]>> held;
  for (size_t bytes = 1; bytes < 4000; bytes += 24) {
    held.push_back(std::make_unique<char[]>(bytes));
    CHECK(softmax_rows(logits) == first);
  }
}
