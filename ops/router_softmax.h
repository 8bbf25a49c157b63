// Softmax of router rows in double. For the .cpp files of ops.
//
// Rows are short (8 to 32 experts) and many, so exp() runs over a block of them at once: that is vectorised
// for any number of experts, and two to three times as fast as row by row.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>

#include "ops/token_groups.h"

namespace limoe {

// body(token, p, log_sum) for every token in turn: p [experts] = softmax(logits[token]), log_sum =
// log(sum(exp(logits[token]))), so that log p = logits[token] - log_sum, exact also where p underflows to 0.
// A row that holds a NaN, or +inf, or nothing but -inf gives NaN throughout, as ops/softmax.h does.
template <class T, class Body>
void for_each_softmax(const T* logits, Tokens tokens, int64_t experts, const Body& body) {
  constexpr size_t kBlock = 64;          // rows: the block stays in the first-level cache
  constexpr double kUnderflow = 1e-300;  // vectorised exp() ends a little below, but never at 0
  // Aligned memory: a vectorised exp() differs from a plain one in the last bit, and which elements are left
  // to the plain one hangs on the address.
  Eigen::ArrayXd block(Eigen::Index(std::min(kBlock, tokens.size())) * experts);
  double tops[kBlock];
  for (size_t first = 0; first < tokens.size(); first += kBlock) {
    const Tokens some = tokens.subspan(first, std::min(kBlock, tokens.size() - first));
    for (size_t i = 0; i < some.size(); ++i) {
      const auto row = as_row(logits + some[i] * experts, experts).template cast<double>();
      tops[i] = row.template maxCoeff<Eigen::PropagateNaN>();
      as_row(block.data() + i * experts, experts) = row - tops[i];
    }
    auto exponents = as_row(block.data(), int64_t(some.size()) * experts);
    exponents = exponents.exp();
    for (double& p : std::span(block.data(), exponents.size())) p = p < kUnderflow ? 0 : p;
    for (size_t i = 0; i < some.size(); ++i) {
      auto p = as_row(block.data() + i * experts, experts);
      const double sum = p.sum(), nothing = tops[i] - tops[i];  // 0, or NaN for a row that is to be NaN
      p *= (1 + nothing) / sum;
      body(int64_t(some[i]), p.data(), tops[i] + std::log(sum) + nothing);
    }
  }
}

}  // namespace limoe
