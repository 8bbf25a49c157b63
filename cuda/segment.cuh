// Segments: a warp cut into equal runs of lanes, one for a short row each.
//
// Rows of router probabilities are as wide as there are experts. With 8 experts a warp takes four rows at
// once, with 32 or more it takes one; lane l of a segment looks after columns l, l + width, l + 2 * width ...
// All lanes of the warp reach every reduction; the order of combining is fixed.
#pragma once

#include "cuda/ordered_key.cuh"
#include "cuda/reduce.cuh"

namespace limoe::cuda {

struct Segment {
  int width;  // lanes: a power of two, at most the warp
  int lane;   // of the segment, 0..width - 1

  __device__ int index() const { return lane_index() / width; }  // of the warp's segments
  __device__ int count() const { return kWarpSize / width; }
  __device__ bool owns(int column) const { return (column & (width - 1)) == lane; }
};

// Lanes for rows of `columns`: the power of two at or above it.
__host__ __device__ inline int segment_width(int columns) {
  int width = 1;
  while (width < columns && width < kWarpSize) width *= 2;
  return width;
}

__device__ inline Segment segment_for(int columns) {
  const int width = segment_width(columns);
  return {width, lane_index() & (width - 1)};
}

template <class Operation>
__device__ inline float segment_reduce(Segment segment, float value) {
  for (int distance = segment.width / 2; distance > 0; distance /= 2)
    value = Operation::combine(value, __shfl_xor_sync(kAllLanes, value, distance));
  return value;
}

__device__ inline uint64_t segment_max(Segment segment, uint64_t value) {
  for (int distance = segment.width / 2; distance > 0; distance /= 2) {
    const uint64_t other = __shfl_xor_sync(kAllLanes, value, distance);
    if (other > value) value = other;
  }
  return value;
}

// The largest column of a row that ranks below `limit`, as ranked(): of equal values the lower index, a NaN
// above all others. Called with what it returned, it goes on to the next; 0 when the row has no more.
template <class T>
__device__ inline uint64_t next_largest(Segment segment, const T* row, int columns, uint64_t limit) {
  uint64_t best = 0;
  for (int column = segment.lane; column < columns; column += segment.width) {
    const uint64_t rank = ranked(load(row + column), column);
    if (rank < limit && rank > best) best = rank;
  }
  return segment_max(segment, best);
}

inline constexpr uint64_t kAboveAll = ~uint64_t{0};

}  // namespace limoe::cuda
