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

// One chunk of 16 bytes of a panel: values of X at (outer, inner) and behind, where memory holds [outer,
// inner]; there are outer_left x inner_left of them from (outer_begin, inner_begin) on, and zeros beyond.
struct PanelPlace {
  int outer_begin, inner_begin, outer_left, inner_left;
};
__device__ __forceinline__ void copy_chunk(bf16* to, const TileOperand<bf16>& x, const PanelPlace& panel,
                                           int outer, int inner) {
  constexpr int kChunk = Packed<bf16>::kCount;
  int valid = outer < panel.outer_left ? panel.inner_left - inner : 0;
  valid = valid < 0 ? 0 : valid > kChunk ? kChunk : valid;
  const bf16* const from =
      valid ? x.data + (panel.outer_begin + outer) * x.stride + panel.inner_begin + inner : x.data;
  if (x.packed) {
    copy_async_16(to, from, valid * int(sizeof(bf16)));
  } else {
    Packed<bf16> pack;
#pragma unroll
    for (int j = 0; j < kChunk; ++j) pack.value[j] = j < valid ? from[j] : bf16();
    store_packed(to, pack);
  }
}

// Where a panel lies that begins at k, of X by the rows or columns of C that are the tile's.
template <bool KOuter>
__device__ __forceinline__ PanelPlace panel_place(const TileOperand<bf16>& x, int k, int k_end) {
  return KOuter ? PanelPlace{k, x.first, k_end - k, x.count - x.first}
                : PanelPlace{x.first, k, x.count - x.first, k_end - k};
}

template <class T>
struct TileWork {
  TileOperand<T> a, b;
  int k_begin, k_end;
};

// A tile to be made, of the values that an index stands for; some stand for none.
template <class T, class Output>
struct TileItem {
  TileWork<T> work;
  Output output;
  bool valid = true;
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

__device__ __forceinline__ void fill_pack(Packed<float>& pack, const float* values) {
#pragma unroll
  for (int i = 0; i < pack.kCount; ++i) pack.value[i] = values[i];
}
// Two values by an instruction.
__device__ __forceinline__ void fill_pack(Packed<bf16>& pack, const float* values) {
#pragma unroll
  for (int i = 0; i < pack.kCount; i += 2) {
    const unsigned pair = pack_pair(values[i], values[i + 1]);
    pack.value[i].bits = uint16_t(pair);
    pack.value[i + 1].bits = uint16_t(pair >> 16);
  }
}

template <int Count, class X>
__device__ __forceinline__ void write_values(X* to, bool packed, int left, const float (&values)[Count]) {
  if (packed) {
#pragma unroll
    for (int i = 0; i < Count; i += Packed<X>::kCount) {
      Packed<X> pack;
      fill_pack(pack, values + i);
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
    put_rows<1>(row, 1, column, reinterpret_cast<float(&)[1][Count]>(s));
  }

  // The same of rows `row`, row + between, ...: what is asked once for all of them is asked once.
  template <int Rows, int Count>
  __device__ __forceinline__ void put_rows(int row, int between, int column, float (&s)[Rows][Count]) const {
    const int left = columns - column;
    if (row >= rows || left <= 0) return;
    const int64_t first = int64_t(row) * stride + column, step = int64_t(between) * stride;
    const bool whole = packed && left >= Count;
    const auto each_row = [&](const auto& use) {
#pragma unroll
      for (int r = 0; r < Rows; ++r)
        if (row + r * between < rows) use(first + r * step, s[r]);
    };
    const auto add = [&](const auto* from, float scale, float(&to)[Count]) {
      float other[Count];
      read_values(from, whole, left, other);
#pragma unroll
      for (int i = 0; i < Count; ++i) to[i] += scale * other[i];
    };
    if (beta != 0.0f) each_row([&](int64_t at, float(&values)[Count]) { add(c + at, beta, values); });
    if (bias) {
      float of_column[Count];
      read_values(bias + column, whole, left, of_column);
#pragma unroll
      for (int r = 0; r < Rows; ++r)
#pragma unroll
        for (int i = 0; i < Count; ++i) s[r][i] += of_column[i];
    }
    if (before_gelu)
      each_row(
          [&](int64_t at, float(&values)[Count]) { write_values(before_gelu + at, whole, left, values); });
    if (gelu) {
#pragma unroll
      for (int r = 0; r < Rows; ++r)
#pragma unroll
        for (int i = 0; i < Count; ++i) s[r][i] = cuda::gelu(s[r][i]);
    }
    if (residual) each_row([&](int64_t at, float(&values)[Count]) { add(residual + at, 1.0f, values); });
    each_row([&](int64_t at, float(&values)[Count]) { write_values(c + at, whole, left, values); });
  }
};

// Sums that lie in shared memory, rows of `Pitch` floats, to their places; all lanes of the block.
template <int Rows, int Columns, int Lanes, int Pitch, class Output>
__device__ __forceinline__ void put_tile(const float* shared, int first_row, int first_column,
                                         const Output& output) {
  constexpr int kTogether = 8;
  for (int i = int(threadIdx.x); i < Rows * Columns / kTogether; i += Lanes) {
    const int row = i / (Columns / kTogether), column = i % (Columns / kTogether) * kTogether;
    float values[kTogether];
    read_values(shared + row * Pitch + column, true, kTogether, values);
    output.put(first_row + row, first_column + column, values);
  }
}

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
