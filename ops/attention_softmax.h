// The softmax of attention on the CPU: scores of a block of queries, a query a lane, over the keys of a
// sequence.
//
// For attention_heads.h alone.
#pragma once

#include <cmath>
#include <limits>
#include <type_traits>

#include "ops/eigen_maps.h"
#include "ops/vector_math.h"

namespace limoe::detail {

// Queries are done in blocks of a few registers, a query a lane: scores of a block are [length, lanes], so
// maximum, exp() and sums over keys run down the registers, for all queries at once. Blocks of three
// registers go with the widest tiles; the last one may have four, so that none is left with a few queries.
template <class T>
constexpr int64_t kQueryBlock = 3 * kLanes<T>;
template <class T>
constexpr int64_t kLastQueryBlock = 4 * kLanes<T>;

template <class T>
int64_t queries_of_block(int64_t queries_left) {
  return queries_left <= kLastQueryBlock<T> ? queries_left : kQueryBlock<T>;
}

// The tokens of a sequence that are keys.
struct AttentionKeys {
  const int32_t* valid;  // [length], or null: all
  bool operator()(int64_t token) const { return !valid || valid[token] != 0; }
  bool any(int64_t length) const {
    for (int64_t i = 0; i < length; ++i)
      if ((*this)(i)) return true;
    return false;
  }
};

// exp() of less is taken as exp() of this: no sum notices it beside its largest term, which is 1, and the
// arithmetic below -87, where results are denormal, takes a tenth longer.
constexpr float kLeastExponent = -80;

inline FloatRegister exp_of_score(FloatRegister x) {
  return vector_exp(at_least(x, kLeastExponent));
}
inline Register<double> exp_of_score(Register<double> x) {
  for (int64_t lane = 0; lane < kLanes<double>; ++lane) x[lane] = std::exp(x[lane]);
  return x;
}

// scores [length, kRegisters registers of queries] become p; lse of each query is written.
template <int64_t kRegisters, class T>
void softmax_of_queries(const AttentionKeys& keys, int64_t length, T score_scale, T* scores, T* lse) {
  using Register = Register<T>;
  const auto row = [=](int64_t i) { return reinterpret_cast<Register*>(scores) + i * kRegisters; };
  Register largest[kRegisters], offset[kRegisters], sum[kRegisters] = {}, share[kRegisters];
  for (int64_t r = 0; r < kRegisters; ++r) largest[r] = -std::numeric_limits<T>::infinity() - Register{};
  for (int64_t i = 0; i < length; ++i)
    if (keys(i))
      for (int64_t r = 0; r < kRegisters; ++r)  // may miss a NaN; the sum does not
        largest[r] = row(i)[r] > largest[r] ? row(i)[r] : largest[r];
  for (int64_t r = 0; r < kRegisters; ++r) offset[r] = largest[r] * score_scale;
  for (int64_t i = 0; i < length; ++i)
    for (int64_t r = 0; r < kRegisters; ++r) {
      const Register p = keys(i) ? exp_of_score(row(i)[r] * score_scale - offset[r]) : Register{};
      sum[r] += p;
      row(i)[r] = p;
    }
  for (int64_t r = 0; r < kRegisters; ++r) share[r] = T(1) / sum[r];
  for (int64_t i = 0; i < length; ++i)
    for (int64_t r = 0; r < kRegisters; ++r) row(i)[r] *= share[r];
  for (int64_t r = 0; r < kRegisters; ++r) {
    store_register(lse + r * kLanes<T>, sum[r]);
    auto logarithm = as_row(lse + r * kLanes<T>, kLanes<T>);
    logarithm = logarithm.log();
    reinterpret_cast<Register*>(lse)[r] += offset[r];
  }
}

// scores [length, kRegisters registers of queries] become p, and dscores = dy v^T becomes ds.
// delta = sum(p * dscores) over keys, which is sum(dy * y).
template <int64_t kRegisters, class T>
void softmax_gradient_of_queries(const AttentionKeys& keys, int64_t length, T score_scale, const T* lse,
                                 T* scores, T* dscores) {
  using Register = Register<T>;
  const auto row = [](T* of, int64_t i) { return reinterpret_cast<Register*>(of) + i * kRegisters; };
  const auto* const offset = reinterpret_cast<const Register*>(lse);
  Register delta[kRegisters] = {};
  for (int64_t i = 0; i < length; ++i)
    for (int64_t r = 0; r < kRegisters; ++r) {
      const Register p = keys(i) ? exp_of_score(row(scores, i)[r] * score_scale - offset[r]) : Register{};
      delta[r] += p * row(dscores, i)[r];
      row(scores, i)[r] = p;
    }
  for (int64_t r = 0; r < kRegisters; ++r) delta[r] *= score_scale;
  for (int64_t i = 0; i < length; ++i)
    for (int64_t r = 0; r < kRegisters; ++r)
      row(dscores, i)[r] = row(scores, i)[r] * (row(dscores, i)[r] * score_scale - delta[r]);
}

// body(its width in registers, known to the compiler) for a block of queries so many lanes wide.
template <class T, class Body>
void for_registers_of(int64_t lanes, const Body& body) {
  switch (lanes / kLanes<T>) {
    case 1:
      return body(std::integral_constant<int64_t, 1>());
    case 2:
      return body(std::integral_constant<int64_t, 2>());
    case 3:
      return body(std::integral_constant<int64_t, 3>());
    default:
      return body(std::integral_constant<int64_t, 4>());
  }
}

}  // namespace limoe::detail
