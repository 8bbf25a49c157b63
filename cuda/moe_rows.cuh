// What moe_dispatch and moe_combine have in common: rows of D values copied or added up through an index.
//
// A warp a row; its lanes stride over 16-byte packs of the row, or over single elements where rows do not
// begin at multiples of 16 bytes. Sums run over a token's choices in order, in float, and are rounded once.
#pragma once

#include "cuda/packed.cuh"
#include "tensor/rows.h"

namespace limoe::cuda {

// One element with the interface of a pack.
template <class T>
struct Single {
  static constexpr int kCount = 1;
  T value;

  __device__ float operator[](int) const { return load(&value); }
  __device__ void set(int, float x) { store(&value, x); }
};

inline constexpr int kRowLanes = 256;

inline LaunchShape warp_per_row(int64_t rows) {
  return {.grid = {blocks_for(rows, kRowLanes / kWarpSize)}, .block = kRowLanes};
}

__device__ inline int64_t row_of_warp() {
  return int64_t(blockIdx.x) * (blockDim.x / kWarpSize) + warp_index();
}

__device__ inline bool is_index(int64_t index, int64_t limit) {
  return index >= 0 && index < limit;
}

// to = weight * from, and 0 without a `from`.
template <class Pack, class T>
__device__ inline void scale_row(const T* from, float weight, T* to, int64_t width) {
  for (int64_t i = lane_index(); i < width / Pack::kCount; i += kWarpSize) {
    Pack pack;
    if (from) pack = reinterpret_cast<const Pack*>(from)[i];
    for (int j = 0; j < Pack::kCount; ++j) pack.set(j, from ? weight * pack[j] : 0.0f);
    reinterpret_cast<Pack*>(to)[i] = pack;
  }
}

// to = the sum over the token's choices k of weight(k) * rows[row_of[k]]; a choice without a row adds
// nothing.
template <class Pack, class T, class Weight>
__device__ inline void add_rows(const T* rows, int64_t row_count, const int32_t* row_of, int64_t choices,
                                const Weight& weight, T* to, int64_t width) {
  for (int64_t i = lane_index(); i < width / Pack::kCount; i += kWarpSize) {
    float sum[Pack::kCount] = {};
    for (int64_t k = 0; k < choices; ++k) {
      if (!is_index(row_of[k], row_count)) continue;
      const Pack pack = reinterpret_cast<const Pack*>(rows + row_of[k] * width)[i];
      for (int j = 0; j < Pack::kCount; ++j) sum[j] += weight(k) * pack[j];
    }
    Pack pack;
    for (int j = 0; j < Pack::kCount; ++j) pack.set(j, sum[j]);
    reinterpret_cast<Pack*>(to)[i] = pack;
  }
}

}  // namespace limoe::cuda
