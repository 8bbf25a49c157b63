// Softmax of one router row by a segment of lanes, in float; ops/router_softmax.h is its twin on the CPU.
//
// A row that holds a NaN, or +inf, or nothing but -inf gives NaN throughout.
#pragma once

#include "cuda/segment.cuh"

namespace limoe::cuda {

struct RowSoftmax {
  float top;      // the largest element
  float inverse;  // 1 / sum(exp(x - top))
  float log_sum;  // log(sum(exp(x - top)))

  __device__ float probability(float x) const { return expf(x - top) * inverse; }
  __device__ float log_probability(float x) const { return x - top - log_sum; }
  __device__ float log_sum_exp() const { return top + log_sum; }
};

// All lanes of the warp, a row a segment.
template <class T>
__device__ inline RowSoftmax row_softmax(Segment segment, const T* row, int columns) {
  float top = Max::identity(), sum = 0;
  for (int column = segment.lane; column < columns; column += segment.width)
    top = Max::combine(top, load(row + column));
  top = segment_reduce<Max>(segment, top);
  for (int column = segment.lane; column < columns; column += segment.width)
    sum += expf(load(row + column) - top);
  sum = segment_reduce<Sum>(segment, sum);
  const float nothing = top - top;  // 0, or NaN for a row that is to be NaN
  return {top, (1.0f + nothing) / sum, logf(sum) + nothing};
}

// p * x, where p = 0 wins over an infinite x but not over a NaN.
__device__ inline float times_probability(float p, float x) {
  return p == 0.0f && x == x ? 0.0f : p * x;
}

}  // namespace limoe::cuda
