// Kernels and launchers of cuda/grouped_linear.h for tiles of one kind (cuda/gemm_f32.cuh,
// cuda/gemm_bf16.cuh).
#pragma once

#include "cuda/expert_rows.cuh"
#include "cuda/gemm_kernel.cuh"
#include "cuda/grouped_linear.h"

namespace limoe::cuda {

template <class T>
struct GroupedArguments {
  TileOperand<T> a, b;  // b of expert 0
  TileOutput<T, T> c;   // of expert 0
  ExpertRows experts;
  int64_t expert_stride;  // between the experts' kernels, or their gradients
  int k;                  // where the experts' rows are not what is summed over
  int tile_rows, tile_columns, items;

  // Of expert 0, from row 0 of a on.
  __device__ __forceinline__ TileItem<T, TileOutput<T, T>> item(int column, int k_begin, int k_end) const {
    TileItem<T, TileOutput<T, T>> item{{a, b, k_begin, k_end}, c};
    item.work.b.first = column;
    return item;
  }
};

// Tiles of an expert's rows: y_e = rows_e op(kernel_e) + bias_e, and zeros for unused rows.
template <class Tile, bool KernelTransposed>
__global__ void __launch_bounds__(Tile::kLanes, Tile::kBlocks)
    grouped_rows_kernel(GroupedArguments<typename Tile::Value> arguments) {
  run_items<Tile, false, KernelTransposed>(arguments.items, [&](int index) {
    const TilePlace place = tile_place(index, arguments.tile_rows, arguments.tile_columns);
    const ExpertRun run = find_run(arguments.experts, arguments.experts.experts, Tile::kRows, place.row);
    const bool unused = run.expert < 0 || run.expert == arguments.experts.experts;
    auto item = arguments.item(place.column * Tile::kColumns, 0, unused ? 0 : arguments.k);
    item.valid = run.expert >= 0;
    item.work.a.first = run.rows.begin;
    item.work.a.count = item.output.rows = run.rows.end;
    if (!unused) item.work.b.data += run.expert * arguments.expert_stride;
    if (item.output.bias)
      item.output.bias = unused ? nullptr : item.output.bias + run.expert * int64_t(item.output.columns);
    return item;
  });
}

// Tiles of an expert's kernel: dkernel_e = rows_e^T dy_e.
template <class Tile>
__global__ void __launch_bounds__(Tile::kLanes, Tile::kBlocks)
    grouped_kernel_gradient_kernel(GroupedArguments<typename Tile::Value> arguments) {
  run_items<Tile, true, false>(arguments.items, [&](int index) {
    const int tiles = arguments.tile_rows * arguments.tile_columns, expert = index / tiles;
    const TilePlace place = tile_place(index % tiles, arguments.tile_rows, arguments.tile_columns);
    const RowRange rows = arguments.experts.of(expert);
    auto item = arguments.item(place.column * Tile::kColumns, rows.begin, rows.end);
    item.work.a.first = place.row * Tile::kRows;
    item.output.c += expert * arguments.expert_stride;
    return item;
  });
}

// A contiguous matrix as an operand; `count` rows or columns of it meet C.
template <class T>
TileOperand<T> whole_operand(const T* data, int64_t width, int64_t count) {
  return {data, width, 0, narrow("grouped_linear: a size", count), rows_are_packed(data, width)};
}

inline ExpertRows expert_rows(GroupedShape shape, const int32_t* row_begin) {
  return {row_begin, narrow("grouped_linear: experts", shape.experts),
          narrow("grouped_linear: rows", shape.rows)};
}

// C is what a launch makes, all experts' together; an expert should be expected to fill a tile.
inline GemmTile grouped_tile(const GroupedShape& shape, GemmShape c) {
  const bool too_few = shape.tile == GemmTile::automatic && shape.rows < kSmallTile * shape.experts;
  return too_few ? GemmTile::small : chosen_tile(shape.tile, c);
}

template <class Tile, bool KernelTransposed, class T>
void grouped_rows(Stream stream, GroupedShape shape, const T* rows, const T* kernel, const T* bias,
                  const int32_t* row_begin, T* y) {
  const int64_t inner = KernelTransposed ? shape.outputs : shape.inputs;
  const int64_t columns = KernelTransposed ? shape.inputs : shape.outputs;
  const int64_t tile_rows = shape.rows / Tile::kRows + shape.experts + 1;
  const int64_t tile_columns = blocks_for(columns, Tile::kColumns);
  const GroupedArguments<T> arguments{
      whole_operand(rows, inner, shape.rows),
      whole_operand(kernel, shape.outputs, columns),
      tile_output<T, T>({shape.rows, columns, inner}, {y, columns}, {.bias = bias}),
      expert_rows(shape, row_begin),
      shape.inputs * shape.outputs,
      narrow("grouped_linear: a size", inner),
      narrow("grouped_linear: rows", tile_rows),
      int(tile_columns),
      narrow("grouped_linear: tiles", tile_rows * tile_columns)};
  launch<grouped_rows_kernel<Tile, KernelTransposed>>(stream, launch_of_items<Tile>(arguments.items),
                                                      arguments);
}

template <class Tiles, bool KernelTransposed, class T>
void grouped_rows_by_size(Stream stream, GroupedShape shape, const T* rows, const T* kernel, const T* bias,
                          const int32_t* row_begin, T* y) {
  const int64_t columns = KernelTransposed ? shape.inputs : shape.outputs;
  if (shape.rows == 0 || columns == 0) return;
  Tiles::use(grouped_tile(shape, {shape.rows, columns, 0}), [&]<class Tile>() {
    grouped_rows<Tile, KernelTransposed>(stream, shape, rows, kernel, bias, row_begin, y);
  });
}

template <class Tile, class T>
void grouped_kernel_gradient(Stream stream, GroupedShape shape, const T* rows, const int32_t* row_begin,
                             const T* dy, T* dkernel) {
  const int64_t tile_rows = blocks_for(shape.inputs, Tile::kRows);
  const int64_t tile_columns = blocks_for(shape.outputs, Tile::kColumns);
  const GroupedArguments<T> arguments{
      whole_operand(rows, shape.inputs, shape.inputs),
      whole_operand(dy, shape.outputs, shape.outputs),
      tile_output<T, T>({shape.inputs, shape.outputs, 0}, {dkernel, shape.outputs}, {}),
      expert_rows(shape, row_begin),
      shape.inputs * shape.outputs,
      0,
      int(tile_rows),
      int(tile_columns),
      narrow("grouped_linear: tiles", tile_rows * tile_columns * shape.experts)};
  launch<grouped_kernel_gradient_kernel<Tile>>(stream, launch_of_items<Tile>(arguments.items), arguments);
}

template <class Tiles, class T>
void grouped_kernel_gradient_by_size(Stream stream, GroupedShape shape, const T* rows,
                                     const int32_t* row_begin, const T* dy, T* dkernel) {
  if (shape.experts * shape.inputs * shape.outputs == 0) return;
  Tiles::use(grouped_tile(shape, {shape.inputs, shape.outputs, 0, shape.experts}), [&]<class Tile>() {
    grouped_kernel_gradient<Tile>(stream, shape, rows, row_begin, dy, dkernel);
  });
}

}  // namespace limoe::cuda
