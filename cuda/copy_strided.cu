#include "cuda/copy_strided.h"
#include "cuda/elementwise.cuh"

namespace limoe::cuda {
namespace {

constexpr int kTile = 32;
constexpr int kTileRows = 8;  // rows of lanes; each moves four rows of a tile

struct alignas(16) Sixteen {
  uint64_t half[2];
};

// Axes of size 1 left out, and neighbours joined that are one axis on both sides.
StridedCopy simplified(const StridedCopy& copy) {
  StridedCopy simple;
  for (int axis = 0; axis < copy.rank; ++axis) {
    if (copy.size[axis] == 1) continue;
    const int last = simple.rank - 1;
    if (last >= 0 && simple.to_stride[last] == copy.to_stride[axis] * copy.size[axis] &&
        simple.from_stride[last] == copy.from_stride[axis] * copy.size[axis]) {
      simple.size[last] *= copy.size[axis];
      simple.to_stride[last] = copy.to_stride[axis];
      simple.from_stride[last] = copy.from_stride[axis];
      continue;
    }
    simple.size[simple.rank] = copy.size[axis];
    simple.to_stride[simple.rank] = copy.to_stride[axis];
    simple.from_stride[simple.rank] = copy.from_stride[axis];
    ++simple.rank;
  }
  return simple;
}

int64_t element_count(const StridedCopy& copy) {
  int64_t count = 1;
  for (int axis = 0; axis < copy.rank; ++axis) count *= copy.size[axis];
  return count;
}

// Where index `i`, row by row over the first `axes` axes, lies on both sides.
struct Places {
  int64_t to = 0, from = 0;
};
__device__ inline Places places_of(const StridedCopy& copy, int axes, int64_t i) {
  Places at;
#pragma unroll
  for (int axis = StridedCopy::kMostAxes - 1; axis >= 0; --axis) {
    if (axis >= axes) continue;
    const int64_t rest = i / copy.size[axis], index = i - rest * copy.size[axis];
    at.to += index * copy.to_stride[axis];
    at.from += index * copy.from_stride[axis];
    i = rest;
  }
  return at;
}

// The copy in units of 16 bytes; rank 0 where that is impossible.
StridedCopy in_units(const StridedCopy& copy, const void* to, const void* from, int64_t per_unit) {
  const int last = copy.rank - 1;
  if (last < 0 || copy.to_stride[last] != 1 || copy.from_stride[last] != 1) return {};
  if (copy.size[last] % per_unit != 0) return {};
  if (reinterpret_cast<uintptr_t>(to) % 16 != 0 || reinterpret_cast<uintptr_t>(from) % 16 != 0) return {};
  StridedCopy units = copy;
  units.size[last] /= per_unit;
  for (int axis = 0; axis < last; ++axis) {
    if (copy.to_stride[axis] % per_unit != 0 || copy.from_stride[axis] % per_unit != 0) return {};
    units.to_stride[axis] /= per_unit;
    units.from_stride[axis] /= per_unit;
  }
  return units;
}

// The axis along which `from` is dense moved behind all but the last; rank 0 where there is none.
StridedCopy with_dense_axis_second(const StridedCopy& copy) {
  const int last = copy.rank - 1;
  int dense = -1;
  for (int axis = 0; axis < last; ++axis)
    if (copy.from_stride[axis] == 1) dense = axis;
  if (dense < 0 || copy.to_stride[last] != 1) return {};
  StridedCopy moved = copy;
  for (int axis = dense; axis + 1 < last; ++axis) {
    moved.size[axis] = copy.size[axis + 1];
    moved.to_stride[axis] = copy.to_stride[axis + 1];
    moved.from_stride[axis] = copy.from_stride[axis + 1];
  }
  moved.size[last - 1] = copy.size[dense];
  moved.to_stride[last - 1] = copy.to_stride[dense];
  moved.from_stride[last - 1] = 1;
  return moved;
}

}  // namespace

// Lanes stride over the elements in the order of the shape.
template <class Unit>
__global__ void copy_strided_kernel(Unit* to, const Unit* from, const __grid_constant__ StridedCopy copy,
                                    int64_t count) {
  for (int64_t i = first_item(); i < count; i += item_stride()) {
    const Places at = places_of(copy, copy.rank, i);
    to[at.to] = from[at.from];
  }
}

// Blocks stride over tiles of the last two axes, which go through shared memory.
template <class Unit>
__global__ void copy_transposed_kernel(Unit* to, const Unit* from, const __grid_constant__ StridedCopy copy,
                                       int64_t tiles_down, int64_t tiles_across, int64_t tiles) {
  Unit* const tile = dynamic_shared<Unit>();  // [32, 33]: [last axis, the one before it]
  const int down_axis = copy.rank - 2, across_axis = copy.rank - 1;
  for (int64_t block = blockIdx.x; block < tiles; block += gridDim.x) {
    const Places at = places_of(copy, copy.rank - 2, block / (tiles_down * tiles_across));
    const int64_t down = block / tiles_across % tiles_down * kTile, across = block % tiles_across * kTile;
    for (int row = int(threadIdx.y); row < kTile; row += kTileRows) {
      const int64_t i = down + threadIdx.x, j = across + row;
      if (i < copy.size[down_axis] && j < copy.size[across_axis])
        tile[row * (kTile + 1) + threadIdx.x] = from[at.from + i + j * copy.from_stride[across_axis]];
    }
    __syncthreads();
    for (int row = int(threadIdx.y); row < kTile; row += kTileRows) {
      const int64_t i = down + row, j = across + threadIdx.x;
      if (i < copy.size[down_axis] && j < copy.size[across_axis])
        to[at.to + i * copy.to_stride[down_axis] + j] = tile[threadIdx.x * (kTile + 1) + row];
    }
    __syncthreads();
  }
}

namespace {

template <class Unit>
void launch_copy(Stream stream, void* to, const void* from, const StridedCopy& copy) {
  const int64_t count = element_count(copy);
  launch<copy_strided_kernel<Unit>>(stream, elementwise_shape(count), static_cast<Unit*>(to),
                                    static_cast<const Unit*>(from), copy, count);
}

template <class Unit>
void launch_transposed(Stream stream, void* to, const void* from, const StridedCopy& copy) {
  const int64_t down = blocks_for(copy.size[copy.rank - 2], kTile);
  const int64_t across = blocks_for(copy.size[copy.rank - 1], kTile);
  const int64_t tiles =
      element_count(copy) / (copy.size[copy.rank - 2] * copy.size[copy.rank - 1]) * down * across;
  launch<copy_transposed_kernel<Unit>>(
      stream,
      {.grid = {tiles < kMostElementwiseBlocks ? tiles : kMostElementwiseBlocks},
       .block = kTile,
       .block_y = kTileRows,
       .shared_bytes = kTile * (kTile + 1) * sizeof(Unit)},
      static_cast<Unit*>(to), static_cast<const Unit*>(from), copy, down, across, tiles);
}

template <class Unit>
void copy_elements(Stream stream, void* to, const void* from, const StridedCopy& copy) {
  const StridedCopy units = in_units(copy, to, from, int64_t(16 / sizeof(Unit)));
  if (units.rank > 0) return launch_copy<Sixteen>(stream, to, from, units);
  const StridedCopy moved = with_dense_axis_second(copy);
  if (moved.rank > 0) return launch_transposed<Unit>(stream, to, from, moved);
  launch_copy<Unit>(stream, to, from, copy);
}

}  // namespace

void copy_strided(Stream stream, void* to, const void* from, const StridedCopy& copy, size_t element_bytes) {
  if (element_count(copy) == 0) return;
  const StridedCopy simple = simplified(copy);
  if (element_bytes == 2) return copy_elements<uint16_t>(stream, to, from, simple);
  if (element_bytes == 4) return copy_elements<uint32_t>(stream, to, from, simple);
  copy_elements<uint64_t>(stream, to, from, simple);
}

}  // namespace limoe::cuda
