// How kernels over rows cut their lanes: a row belongs to a group of 1, 2, 4, ... or 32 neighbouring lanes of
// a warp, as many as it has columns. All lanes of a warp pass through the reductions together, those of rows
// behind the last one with nothing to add.
//
//   launch<kernel>(stream, row_groups_shape(rows), ..., rows, lanes_of_row(rows.width));
//   const RowGroup group(rows, lanes);
//   float sum = 0;
//   group.for_each_column([&](int64_t at) { sum += load(x + at); });
//   sum = group_reduce<Sum>(sum, lanes);
#pragma once

#include "cuda/device.cuh"
#include "cuda/reduce.cuh"
#include "tensor/rows.h"

namespace limoe::cuda {

inline constexpr int kRowGroupLanes = 256;  // in a block

inline int lanes_of_row(int64_t width) {
  int lanes = 1;
  while (lanes < kWarpSize && lanes < width) lanes *= 2;
  return lanes;
}

inline LaunchShape row_groups_shape(Rows rows) {
  return {.grid = {blocks_for(rows.count, kRowGroupLanes / lanes_of_row(rows.width))},
          .block = kRowGroupLanes};
}

struct RowGroup {
  int64_t row, begin, end;  // elements of the row; none behind the last row
  int lane, lanes;

  __device__ RowGroup(Rows rows, int lanes_of_row) : lanes(lanes_of_row) {
    row = (int64_t(blockIdx.x) * kRowGroupLanes + threadIdx.x) / lanes;
    lane = int(threadIdx.x) % lanes;
    begin = row * rows.width;
    end = row < rows.count ? begin + rows.width : begin;
  }

  template <class Use>
  __device__ void for_each_column(const Use& use) const {
    for (int64_t at = begin + lane; at < end; at += lanes) use(at);
  }
};

}  // namespace limoe::cuda
