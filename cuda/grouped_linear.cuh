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
  int tile_rows, tile_columns;
};

// One block per tile of an expert's rows: y_e = rows_e op(kernel_e) + bias_e, and zeros for unused rows.
template <class Tile, bool KernelTransposed>
__global__ void __launch_bounds__(Tile::kLanes, Tile::kBlocks)
    grouped_rows_kernel(GroupedArguments<typename Tile::Value> arguments) {
  const TilePlace place = tile_place(int(blockIdx.x), arguments.tile_rows, arguments.tile_columns);
  const ExpertRun run = find_run(arguments.experts, arguments.experts.experts, Tile::kTile, place.row);
  if (run.expert < 0) return;
  const bool unused = run.expert == arguments.experts.experts;
  TileWork<typename Tile::Value> work{arguments.a, arguments.b, 0, unused ? 0 : arguments.k};
  TileOutput<typename Tile::Value, typename Tile::Value> output = arguments.c;
  work.a.first = run.rows.begin;
  work.a.count = output.rows = run.rows.end;
  work.b.first = place.column * Tile::kTile;
  if (!unused) work.b.data += run.expert * arguments.expert_stride;
  if (output.bias) output.bias = unused ? nullptr : output.bias + run.expert * int64_t(output.columns);
  Tile::template run<false, KernelTransposed>(work, output);
}

// One block per tile of an expert's kernel: dkernel_e = rows_e^T dy_e.
template <class Tile>
__global__ void __launch_bounds__(Tile::kLanes, Tile::kBlocks)
    grouped_kernel_gradient_kernel(GroupedArguments<typename Tile::Value> arguments) {
  const int tiles = arguments.tile_rows * arguments.tile_columns, expert = int(blockIdx.x) / tiles;
  const TilePlace place = tile_place(int(blockIdx.x) % tiles, arguments.tile_rows, arguments.tile_columns);
  const RowRange rows = arguments.experts.of(expert);
  TileWork<typename Tile::Value> work{arguments.a, arguments.b, rows.begin, rows.end};
  TileOutput<typename Tile::Value, typename Tile::Value> output = arguments.c;
  work.a.first = place.row * Tile::kTile;
  work.b.first = place.column * Tile::kTile;
  output.c += expert * arguments.expert_stride;
  Tile::template run<true, false>(work, output);
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

// Large tiles where there are enough of them, and where an expert can be expected to fill one.
inline bool takes_large_tiles(GroupedShape shape, int64_t tiles) {
  constexpr int64_t kLeastBlocks = 66;  // half of the multiprocessors of an H100
  if (shape.tile != GemmTile::automatic) return shape.tile == GemmTile::large;
  return tiles >= kLeastBlocks && shape.rows >= kSmallTile * shape.experts && shape.inputs > kSmallTile &&
         shape.outputs > kSmallTile;
}

template <class Tile, bool KernelTransposed, class T>
void grouped_rows(Stream stream, GroupedShape shape, const T* rows, const T* kernel, const T* bias,
                  const int32_t* row_begin, T* y) {
  const int64_t inner = KernelTransposed ? shape.outputs : shape.inputs;
  const int64_t columns = KernelTransposed ? shape.inputs : shape.outputs;
  const int64_t tile_rows = shape.rows / Tile::kTile + shape.experts + 1;
  const int64_t tile_columns = blocks_for(columns, Tile::kTile);
  const GroupedArguments<T> arguments{
      whole_operand(rows, inner, shape.rows),
      whole_operand(kernel, shape.outputs, columns),
      tile_output<T, T>({shape.rows, columns, inner}, {y, columns}, {.bias = bias}),
      expert_rows(shape, row_begin),
      shape.inputs * shape.outputs,
      narrow("grouped_linear: a size", inner),
      narrow("grouped_linear: rows", tile_rows),
      int(tile_columns)};
  launch<grouped_rows_kernel<Tile, KernelTransposed>>(
      stream, {.grid = {tile_rows * tile_columns}, .block = Tile::kLanes, .shared_bytes = Tile::kSharedBytes},
      arguments);
}

template <template <int> class Tile, bool KernelTransposed, class T>
void grouped_rows_by_size(Stream stream, GroupedShape shape, const T* rows, const T* kernel, const T* bias,
                          const int32_t* row_begin, T* y) {
  const int64_t columns = KernelTransposed ? shape.inputs : shape.outputs;
  if (shape.rows == 0 || columns == 0) return;
  if (takes_large_tiles(shape, blocks_for(shape.rows, kLargeTile) * blocks_for(columns, kLargeTile)))
    grouped_rows<Tile<kLargeTile>, KernelTransposed>(stream, shape, rows, kernel, bias, row_begin, y);
  else
    grouped_rows<Tile<kSmallTile>, KernelTransposed>(stream, shape, rows, kernel, bias, row_begin, y);
}

template <class Tile, class T>
void grouped_kernel_gradient(Stream stream, GroupedShape shape, const T* rows, const int32_t* row_begin,
                             const T* dy, T* dkernel) {
  const int64_t tile_rows = blocks_for(shape.inputs, Tile::kTile);
  const int64_t tile_columns = blocks_for(shape.outputs, Tile::kTile);
  const GroupedArguments<T> arguments{
      whole_operand(rows, shape.inputs, shape.inputs),
      whole_operand(dy, shape.outputs, shape.outputs),
      tile_output<T, T>({shape.inputs, shape.outputs, 0}, {dkernel, shape.outputs}, {}),
      expert_rows(shape, row_begin),
      shape.inputs * shape.outputs,
      0,
      int(tile_rows),
      int(tile_columns)};
  launch<grouped_kernel_gradient_kernel<Tile>>(stream,
                                               {.grid = {tile_rows * tile_columns * shape.experts},
                                                .block = Tile::kLanes,
                                                .shared_bytes = Tile::kSharedBytes},
                                               arguments);
}

template <template <int> class Tile, class T>
void grouped_kernel_gradient_by_size(Stream stream, GroupedShape shape, const T* rows,
                                     const int32_t* row_begin, const T* dy, T* dkernel) {
  if (shape.experts * shape.inputs * shape.outputs == 0) return;
  const int64_t large = blocks_for(shape.inputs, kLargeTile) * blocks_for(shape.outputs, kLargeTile);
  if (takes_large_tiles(shape, large * shape.experts))
    grouped_kernel_gradient<Tile<kLargeTile>>(stream, shape, rows, row_begin, dy, dkernel);
  else
    grouped_kernel_gradient<Tile<kSmallTile>>(stream, shape, rows, row_begin, dy, dkernel);
}

}  // namespace limoe::cuda
