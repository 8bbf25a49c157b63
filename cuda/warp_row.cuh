// A row in the registers of a warp: lane l holds packs l, l + 32, ... of 16 bytes.
//
// Rows are whole packs at multiples of 16 bytes and have at most 32 * kValues columns; kValues is a multiple
// of 8.
//
//   with_warp_row(width, [&]<int kValues>() { launch<kernel<T, kValues>>(...); });
#pragma once

#include "cuda/device.cuh"
#include "cuda/packed.cuh"

namespace limoe::cuda {

inline constexpr int64_t kWidestWarpRow = 40 * kWarpSize;

template <class T, int kValues>
struct WarpRow {
  static constexpr int kCount = Packed<T>::kCount;
  static constexpr int kPacks = kValues / kCount;

  // use(column, first value): for every pack of this lane that the row has.
  template <class Use>
  static __device__ void for_each_pack(int64_t width, const Use& use) {
#pragma unroll
    for (int pack = 0; pack < kPacks; ++pack) {
      const int column = (pack * kWarpSize + lane_index()) * kCount;
      if (column < width) use(column, pack * kCount);
    }
  }

  // use(column, value index): for every element of this lane that the row has.
  template <class Use>
  static __device__ void for_each(int64_t width, const Use& use) {
    for_each_pack(width, [&](int column, int value) {
#pragma unroll
      for (int i = 0; i < kCount; ++i) use(column + i, value + i);
    });
  }

  static __device__ void load_row(const T* row, int64_t width, float (&values)[kValues]) {
    for_each_pack(width, [&](int column, int value) {
      const Packed<T> pack = load_packed(row + column);
#pragma unroll
      for (int i = 0; i < kCount; ++i) values[value + i] = pack[i];
    });
  }

  // row[column] = function(column, value index)
  template <class Function>
  static __device__ void store_row(T* row, int64_t width, const Function& function) {
    for_each_pack(width, [&](int column, int value) {
      Packed<T> pack;
#pragma unroll
      for (int i = 0; i < kCount; ++i) pack.set(i, function(column + i, value + i));
      store_packed(row + column, pack);
    });
  }
};

// launch_with.template operator()<kValues>() with the least kValues that hold a row. False: none does.
template <class T, class LaunchWith, class... Arrays>
bool with_warp_row(int64_t width, const LaunchWith& launch_with, const Arrays*... arrays) {
  if (width > kWidestWarpRow || !can_pack<T>(width, arrays...)) return false;
  if (width <= 8 * kWarpSize)
    launch_with.template operator()<8>();
  else if (width <= 16 * kWarpSize)
    launch_with.template operator()<16>();
  else if (width <= 24 * kWarpSize)
    launch_with.template operator()<24>();
  else if (width <= 32 * kWarpSize)
    launch_with.template operator()<32>();
  else
    launch_with.template operator()<40>();
  return true;
}

}  // namespace limoe::cuda
