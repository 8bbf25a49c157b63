// What the attention kernels on CUDA cores share: tiles of rows in shared memory and the two products on
// them.
//
// A block is kEdge x kEdge lanes. Lane (x, y) works on rows y, y + kEdge, ... and columns x, x + kEdge, ...
// of every tile; the lanes of one row are neighbours in a warp. Rows in shared memory are 16 bytes longer
// than they need to be, so that lanes reading one column of neighbouring rows meet different banks.
#pragma once

#include "cuda/attention_layout.cuh"
#include "cuda/device.cuh"
#include "cuda/packed.cuh"
#include "cuda/reduce.cuh"

namespace limoe::cuda {

struct alignas(16) FourFloats {
  float value[4];
};
__device__ inline FourFloats load_four(const float* x) {
  return *reinterpret_cast<const FourFloats*>(x);
}

template <int kTileRows, int kLaneEdge, int kHeadWidth>
struct AttentionTile {
  static constexpr int kTile = kTileRows, kEdge = kLaneEdge, kWidth = kHeadWidth;
  static constexpr int kLanes = kEdge * kEdge;
  static constexpr int kEach = kTile / kEdge;      // rows of a lane
  static constexpr int kColumns = kWidth / kEdge;  // columns of a lane
  static constexpr int kStride = kWidth + 4, kScoreStride = kTile + 4;
  static constexpr int kRowsFloats = kTile * kStride, kScoreFloats = kTile * kScoreStride;

  static __device__ int lane_x() { return int(threadIdx.x) % kEdge; }
  static __device__ int row_of(int i) { return int(threadIdx.x) / kEdge + i * kEdge; }
  static __device__ int column_of(int j) { return lane_x() + j * kEdge; }

  // tile [kTile, kWidth] = rows 0 .. count - 1, zeros where there is none or it is not valid.
  template <class T>
  static __device__ void load_rows(float* tile, const T* rows, int64_t stride, int count,
                                   const HeadLayout& layout, const int32_t* valid) {
    constexpr int kCount = Packed<T>::kCount, kPacks = kWidth / kCount;
    if (layout.packed) {
      for (int i = int(threadIdx.x); i < kTile * kPacks; i += kLanes) {
        const int row = i / kPacks, column = i % kPacks * kCount;
        const bool has = row < count && column < layout.width && (!valid || valid[row] != 0);
        Packed<T> pack;
        if (has) pack = load_packed(rows + row * stride + column);
#pragma unroll
        for (int j = 0; j < kCount; ++j) tile[row * kStride + column + j] = has ? pack[j] : 0.0f;
      }
      return;
    }
    for (int i = int(threadIdx.x); i < kTile * kWidth; i += kLanes) {
      const int row = i / kWidth, column = i % kWidth;
      const bool has = row < count && column < layout.width && (!valid || valid[row] != 0);
      tile[row * kStride + column] = has ? load(rows + row * stride + column) : 0.0f;
    }
  }

  // c[i][j] = row i of a . row j of b
  static __device__ void multiply_rows(const float* a, const float* b, float (&c)[kEach][kEach]) {
#pragma unroll
    for (int i = 0; i < kEach; ++i)
#pragma unroll
      for (int j = 0; j < kEach; ++j) c[i][j] = 0;
#pragma unroll 4
    for (int d = 0; d < kWidth; d += 4) {
      FourFloats left[kEach], right[kEach];
#pragma unroll
      for (int i = 0; i < kEach; ++i) left[i] = load_four(a + row_of(i) * kStride + d);
#pragma unroll
      for (int j = 0; j < kEach; ++j) right[j] = load_four(b + column_of(j) * kStride + d);
#pragma unroll
      for (int i = 0; i < kEach; ++i)
#pragma unroll
        for (int j = 0; j < kEach; ++j)
#pragma unroll
          for (int e = 0; e < 4; ++e) c[i][j] += left[i].value[e] * right[j].value[e];
    }
  }

  // c[i] += sum over k of weights[row i][k] * rows[k]; weights [kTile, kScoreStride], rows [kTile, kStride].
  static __device__ void add_weighted_rows(const float* weights, const float* rows,
                                           float (&c)[kEach][kColumns]) {
#pragma unroll 2
    for (int k = 0; k < kTile; k += 4) {
      FourFloats weight[kEach];
#pragma unroll
      for (int i = 0; i < kEach; ++i) weight[i] = load_four(weights + row_of(i) * kScoreStride + k);
#pragma unroll
      for (int e = 0; e < 4; ++e)
#pragma unroll
        for (int j = 0; j < kColumns; ++j) {
          const float value = rows[(k + e) * kStride + column_of(j)];
#pragma unroll
          for (int i = 0; i < kEach; ++i) c[i][j] += weight[i].value[e] * value;
        }
    }
  }

  // The same with weights[k][row i].
  static __device__ void add_weighted_rows_transposed(const float* weights, const float* rows,
                                                      float (&c)[kEach][kColumns]) {
#pragma unroll 4
    for (int k = 0; k < kTile; ++k) {
#pragma unroll
      for (int i = 0; i < kEach; ++i) {
        const float weight = weights[k * kScoreStride + row_of(i)];
#pragma unroll
        for (int j = 0; j < kColumns; ++j) c[i][j] += weight * rows[k * kStride + column_of(j)];
      }
    }
  }

  // Rows 0 .. count - 1 of c to global memory.
  template <class T>
  static __device__ void store_rows(T* rows, int64_t stride, int count, int width,
                                    const float (&c)[kEach][kColumns]) {
#pragma unroll
    for (int i = 0; i < kEach; ++i)
#pragma unroll
      for (int j = 0; j < kColumns; ++j)
        if (row_of(i) < count && column_of(j) < width)
          store(rows + row_of(i) * stride + column_of(j), c[i][j]);
  }
};

}  // namespace limoe::cuda
