// What all kernels that make tiles of a product share: where a tile's operands lie, where its values go, the
// pipeline of copies, and the order of tiles.
#pragma once

#include "cuda/gelu_math.cuh"
#include "cuda/mma.cuh"
#include "cuda/packed.cuh"

namespace limoe::cuda {

// One operand of a block's tile, as it lies in memory: [k, x] when k_outer, [x, k] otherwise, where x counts
// the rows or columns of C. The tile begins at x = first; beyond `count` there is nothing.
template <class T>
struct TileOperand {
  const T* data;
  int64_t stride;
  int first, count;
  bool packed;  // rows begin at multiples of 16 bytes
};

template <class T>
struct TileWork {
  TileOperand<T> a, b;
  int k_begin, k_end;
};

// Count values of type X at `from` as floats; 16 bytes at a time if `packed`, else only the first `left`.
template <int Count, class X>
__device__ __forceinline__ void read_values(const X* from, bool packed, int left, float (&values)[Count]) {
  if (packed) {
#pragma unroll
    for (int i = 0; i < Count; i += Packed<X>::kCount) {
      const Packed<X> pack = load_packed(from + i);
#pragma unroll
      for (int j = 0; j < Packed<X>::kCount; ++j) values[i + j] = pack[j];
    }
  } else {
#pragma unroll
    for (int i = 0; i < Count; ++i) values[i] = i < left ? load(from + i) : 0.0f;
  }
}

template <int Count, class X>
__device__ __forceinline__ void write_values(X* to, bool packed, int left, const float (&values)[Count]) {
  if (packed) {
#pragma unroll
    for (int i = 0; i < Count; i += Packed<X>::kCount) {
      Packed<X> pack;
#pragma unroll
      for (int j = 0; j < Packed<X>::kCount; ++j) pack.set(j, values[i + j]);
      store_packed(to + i, pack);
    }
  } else {
#pragma unroll
    for (int i = 0; i < Count; ++i)
      if (i < left) store(to + i, values[i]);
  }
}

// Where the values of C go, and what is done to them on the way (cuda/gemm.h).
template <class T, class Out>
struct TileOutput {
  Out* c;
  int64_t stride;
  int rows, columns;  // of C
  float beta;
  const T* bias;
  bool gelu;
  Out* before_gelu;
  const Out* residual;
  bool packed;  // rows of all of these begin at multiples of 16 bytes

  // Values of C[row, column .. column + Count); places outside C are left out.
  template <int Count>
  __device__ __forceinline__ void put(int row, int column, float (&s)[Count]) const {
    const int left = columns - column;
    if (row >= rows || left <= 0) return;
    const int64_t at = int64_t(row) * stride + column;
    const bool whole = packed && left >= Count;
    float other[Count];
    if (beta != 0.0f) {
      read_values(c + at, whole, left, other);
#pragma unroll
      for (int i = 0; i < Count; ++i) s[i] += beta * other[i];
    }
    if (bias) {
      read_values(bias + column, whole, left, other);
#pragma unroll
      for (int i = 0; i < Count; ++i) s[i] += other[i];
    }
    if (before_gelu) write_values(before_gelu + at, whole, left, s);
    if (gelu) {
#pragma unroll
      for (int i = 0; i < Count; ++i) s[i] = cuda::gelu(s[i]);
    }
    if (residual) {
      read_values(residual + at, whole, left, other);
#pragma unroll
      for (int i = 0; i < Count; ++i) s[i] += other[i];
    }
    write_values(c + at, whole, left, s);
  }
};

// For step = 0 .. steps - 1: compute(buffer) on what load(step, buffer) copied. Copies run Buffers - 1 steps
// ahead. One barrier a step: it says both that the copies of all lanes have arrived and that the buffer of
// the step before may be filled again.
template <int Buffers, class Load, class Compute>
__device__ __forceinline__ void pipeline(int steps, const Load& load, const Compute& compute) {
  for (int step = 0; step < Buffers - 1; ++step) {
    if (step < steps) load(step, step);
    commit_copies();
  }
  for (int step = 0; step < steps; ++step) {
    wait_for_copies<Buffers - 2>();
    __syncthreads();
    const int ahead = step + Buffers - 1;
    if (ahead < steps) load(ahead, ahead % Buffers);
    commit_copies();
    compute(step % Buffers);
  }
  wait_for_copies<0>();
}

// Tile `index` of tile_rows x tile_columns. Eight rows of tiles are walked side by side, so that the blocks
// that run at one time share panels of both operands in the L2 cache.
struct TilePlace {
  int row, column;
};
__device__ inline TilePlace tile_place(int index, int tile_rows, int tile_columns) {
  constexpr int kRowsBeside = 8;
  const int per_band = kRowsBeside * tile_columns, first = index / per_band * kRowsBeside;
  const int beside = tile_rows - first < kRowsBeside ? tile_rows - first : kRowsBeside;
  return {first + index % per_band % beside, index % per_band / beside};
}

}  // namespace limoe::cuda
