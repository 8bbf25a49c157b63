// The kernel and the launcher of gemm() for tiles of one kind (cuda/gemm_f32.cuh, cuda/gemm_bf16.cuh,
// cuda/gemm_warpgroup.cuh).
#pragma once

#include <algorithm>

#include "cuda/gemm.h"
#include "cuda/gemm_by_choice.h"
#include "cuda/gemm_partials.h"
#include "cuda/gemm_tile.cuh"

namespace limoe::cuda {

template <class T, class Out>
struct GemmArguments {
  TileOperand<T> a, b;  // of batch 0, from its beginning
  int64_t a_batch_stride, b_batch_stride, c_batch_stride, c_piece_stride;
  TileOutput<T, Out> c;
  int k, piece_length;
  int tile_rows, tile_columns, batch, items;

  // Tiles come first, then batches, then pieces of k.
  template <class Tile>
  __device__ __forceinline__ TileItem<T, TileOutput<T, Out>> item(int index) const {
    const int tiles = tile_rows * tile_columns, matrix = index / tiles, of_batch = matrix % batch,
              piece = matrix / batch;
    const TilePlace place = tile_place(index % tiles, tile_rows, tile_columns);
    TileItem<T, TileOutput<T, Out>> item{{a, b, 0, 0}, c};
    item.work.a.data += of_batch * a_batch_stride;
    item.work.b.data += of_batch * b_batch_stride;
    item.work.a.first = place.row * Tile::kRows;
    item.work.b.first = place.column * Tile::kColumns;
    item.work.k_begin = piece * piece_length;
    const int k_left = k - item.work.k_begin;
    item.work.k_end = item.work.k_begin + (k_left < piece_length ? k_left : piece_length);
    const int64_t moved = of_batch * c_batch_stride + piece * c_piece_stride;
    item.output.c += moved;
    if (c.before_gelu) item.output.before_gelu += moved;
    if (c.residual) item.output.residual += moved;
    return item;
  }
};

// A block makes the tile of its own index, or one after another of its share.
template <class Tile, bool TransposedA, bool TransposedB, class ItemOf>
__device__ __forceinline__ void run_items(int items, const ItemOf& item_of) {
  if constexpr (Tile::kOneAfterAnother) {
    Tile::template run<TransposedA, TransposedB>(items, item_of);
  } else {
    const auto item = item_of(int(blockIdx.x));
    if (item.valid) Tile::template run<TransposedA, TransposedB>(item.work, item.output);
  }
}

template <class Tile>
LaunchShape launch_of_items(int64_t items) {
  const int64_t blocks =
      Tile::kOneAfterAnother ? std::min<int64_t>(items, Tile::kBlocks * multiprocessors()) : items;
  return {.grid = {blocks},
          .block = Tile::kLanes,
          .shared_bytes = Tile::kSharedBytes,
          .hopper_alone = Tile::kOneAfterAnother};
}

template <class Tile, bool TransposedA, bool TransposedB, class Out>
__global__ void __launch_bounds__(Tile::kLanes, Tile::kBlocks)
    gemm_kernel(GemmArguments<typename Tile::Value, Out> arguments) {
  run_items<Tile, TransposedA, TransposedB>(arguments.items,
                                            [&](int index) { return arguments.template item<Tile>(index); });
}

template <class T>
bool rows_are_packed(const T* data, int64_t stride, int64_t batch_stride = 0) {
  return can_pack<T>(stride, data) && batch_stride % Packed<T>::kCount == 0;
}

template <class T, class Out>
TileOutput<T, Out> tile_output(GemmShape shape, GemmOutput<Out> c, GemmEpilogue<T, Out> epilogue) {
  const bool packed = rows_are_packed(c.data, c.stride, c.batch_stride) &&
                      rows_are_packed(epilogue.before_gelu, c.stride) &&
                      rows_are_packed(epilogue.residual, c.stride) && can_pack<T>(0, epilogue.bias);
  return {c.data,        c.stride,      narrow("gemm: m", shape.m), narrow("gemm: n", shape.n), c.beta,
          epilogue.bias, epilogue.gelu, epilogue.before_gelu,       epilogue.residual,          packed};
}

template <class Tile, class T, class Out>
void launch_gemm(Stream stream, const GemmArguments<T, Out>& arguments, bool transposed_a, bool transposed_b,
                 const LaunchShape& shape) {
  if (transposed_a)
    transposed_b ? launch<gemm_kernel<Tile, true, true, Out>>(stream, shape, arguments)
                 : launch<gemm_kernel<Tile, true, false, Out>>(stream, shape, arguments);
  else
    transposed_b ? launch<gemm_kernel<Tile, false, true, Out>>(stream, shape, arguments)
                 : launch<gemm_kernel<Tile, false, false, Out>>(stream, shape, arguments);
}

template <class Tile, class T, class Out>
void gemm_by_tiles(Stream stream, GemmShape shape, const GemmPlan& plan, GemmInput<T> a, GemmInput<T> b,
                   GemmOutput<Out> c, GemmEpilogue<T, Out> epilogue) {
  const int tile_rows = narrow("gemm: m", blocks_for(shape.m, Tile::kRows));
  const int tile_columns = narrow("gemm: n", blocks_for(shape.n, Tile::kColumns));
  const GemmArguments<T, Out> arguments{
      {a.data, a.stride, 0, narrow("gemm: m", shape.m), rows_are_packed(a.data, a.stride, a.batch_stride)},
      {b.data, b.stride, 0, narrow("gemm: n", shape.n), rows_are_packed(b.data, b.stride, b.batch_stride)},
      a.batch_stride,
      b.batch_stride,
      c.batch_stride,
      shape.batch * shape.m * shape.n,  // pieces lie in the workspace one behind the other
      tile_output<T, Out>(shape, c, epilogue),
      narrow("gemm: k", shape.k),
      narrow("gemm: k", plan.piece_length),
      tile_rows,
      tile_columns,
      narrow("gemm: batch", shape.batch),
      narrow("gemm: tiles", int64_t(tile_rows) * tile_columns * shape.batch * plan.pieces)};
  launch_gemm<Tile, T, Out>(stream, arguments, a.transposed, b.transposed,
                            launch_of_items<Tile>(arguments.items));
}

// Tiles: F32Tiles or Bf16Tiles.
template <class Tiles, class T, class Out>
void gemm_by_plan(Stream stream, GemmShape shape, GemmInput<T> a, GemmInput<T> b, GemmOutput<Out> c,
                  GemmEpilogue<T, Out> epilogue, float* workspace, GemmTile tile) {
  const GemmPlan plan = plan_gemm(shape, tile);
  const auto by_tiles = [&]<class To>(GemmOutput<To> to, GemmEpilogue<T, To> with) {
    Tiles::use(plan.tile,
               [&]<class Tile>() { gemm_by_tiles<Tile, T, To>(stream, shape, plan, a, b, to, with); });
  };
  const auto own = [&](GemmOutput<Out> to, GemmEpilogue<T, Out> with) {
    if (plan.pieces == 1) return by_tiles(to, with);
    by_tiles(GemmOutput<float>{workspace, shape.n, 0, shape.m * shape.n}, GemmEpilogue<T, float>{});
    sum_gemm_partials<T, Out>(stream, shape, workspace, plan.pieces, to, with);
  };
  if (shape.m > 0 && shape.n > 0 && shape.batch > 0) gemm_by_choice(stream, shape, a, b, c, epilogue, own);
}

}  // namespace limoe::cuda
