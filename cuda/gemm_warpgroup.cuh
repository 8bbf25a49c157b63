// Tiles of C = op(A) op(B) from bf16 by the tensor cores of a Hopper, which read shared memory themselves.
//
// Two warpgroups multiply, 64 rows of a tile each; a third one copies. Panels of 64 of k stream through
// shared memory, kStages of each operand, in lines of 128 bytes as multiply_add_group() wants them
// (cuda/mma.cuh); which of the operands has k inner makes no difference to it, so all transposes are one
// kernel. Two barriers a stage say that it is full and that it is empty. Who multiplies does nothing else:
// beside its products, addresses of copies would take longer than the products do.
//
// A block makes one tile after another, and panels of the next one are copied while the sums of this one go
// to C, through shared memory of their own, 16 rows by 32 columns of a warp at a time. A lane then takes two
// rows of 8 neighbours. That is a loop on purpose: what C may want (a bias, gelu), unrolled, is more code
// than the instruction cache holds, and made the whole product take twice as long.
#pragma once

#include "cuda/gemm_bf16.cuh"
#include "cuda/gemm_plan.h"

namespace limoe::cuda {

struct WarpgroupTile {
  using Value = bf16;
  static constexpr bool kOneAfterAnother = true;
  static constexpr int kGroups = 2, kRowsOfGroup = 64;
  static constexpr int kRows = kGroups * kRowsOfGroup, kColumns = 256, kStep = kPanelLine, kStages = 4,
                       kBlocks = 1;
  static constexpr int kCopyLanes = kWarpgroup * kWarpSize, kProductLanes = kGroups * kWarpgroup * kWarpSize;
  static constexpr int kLanes = kProductLanes + kCopyLanes;
  static constexpr int kPanelA = kRows * kStep, kPanelB = kColumns * kStep, kStage = kPanelA + kPanelB;
  static constexpr int kSumRows = 16, kSumColumns = 32;  // that a warp puts at a time
  static constexpr size_t kSharedBytes =
      kStages * kStage * sizeof(bf16) + kProductLanes / kWarpSize * kSumRows * kSumColumns * sizeof(float);
  static constexpr int kUnderWay = 2;  // stages that are copied to before one of them is said to be full
  // With k outer, 64 rows or columns of C are a block of kStep lines.
  static constexpr int kBlock = kStep * kPanelLine;

  static __device__ __forceinline__ int full(int stage) { return 1 + stage; }
  static __device__ __forceinline__ int empty(int stage) { return 1 + kStages + stage; }

  // By the lanes that copy.
  template <int Count, bool KOuter>
  static __device__ __forceinline__ void copy_panel(bf16* to, const TileOperand<bf16>& x, int k, int k_end) {
    constexpr int kChunk = Packed<bf16>::kCount, kChunks = kPanelLine / kChunk;  // of a line
    constexpr int kLines = kCopyLanes / kChunks, kTurns = Count * kStep / kPanelLine / kLines;
    static_assert(kLines % 8 == 0 && kStep % kLines == 0);
    const int lane = int(threadIdx.x) - kProductLanes, line = lane / kChunks, inner = lane % kChunks * kChunk;
    bf16* const place = to + swizzled(lane * 16) / int(sizeof(bf16));
    const PanelPlace panel = panel_place<KOuter>(x, k, k_end);
    // Turn i copies lines `line` + i kLines.
    const auto outer_of = [](int i) { return KOuter ? i * kLines % kStep : i * kLines; };
    const auto inner_of = [](int i) { return KOuter ? i * kLines / kStep * kPanelLine : 0; };
    if (x.packed && panel.outer_left >= (KOuter ? kStep : Count) &&
        panel.inner_left >= (KOuter ? Count : kStep)) {
      const bf16* const from = x.data + (panel.outer_begin + line) * x.stride + panel.inner_begin + inner;
#pragma unroll
      for (int i = 0; i < kTurns; ++i)
        copy_async_16(place + i * kLines * kPanelLine, from + outer_of(i) * x.stride + inner_of(i), 16);
    } else {
#pragma unroll 1
      for (int i = 0; i < kTurns; ++i)
        copy_chunk(place + i * kLines * kPanelLine, x, panel, line + outer_of(i), inner + inner_of(i));
    }
  }

  // sums = a b, or sums += a b.
  template <bool TransposedA, bool TransposedB>
  static __device__ __forceinline__ void multiply(const bf16* a, const bf16* b, bool add,
                                                  float (&sums)[kColumns / 2]) {
    constexpr int kTogether = 16;  // of k
    constexpr int kBlockBytes = kBlock * int(sizeof(bf16));
    a += warp_index() / kWarpgroup * (TransposedA ? kBlock : kRowsOfGroup * kPanelLine);
#pragma unroll
    for (int k = 0; k < kStep; k += kTogether)
      multiply_add_group<TransposedA, !TransposedB>(
          sums, panel_part(a + k * (TransposedA ? kPanelLine : 1), kBlockBytes),
          panel_part(b + k * (TransposedB ? 1 : kPanelLine), kBlockBytes), add || k > 0);
  }

  // Where a warp's sum lies. Quads of a row change places so that neither the lanes that store pairs of four
  // rows nor those that read every other quad of two meet in a bank.
  static __device__ __forceinline__ int sum_place(int row, int column) {
    return row * kSumColumns + (column / 4 ^ row % 4 * 2 ^ row % 2) * 4 + column % 4;
  }

  struct alignas(8) Pair {
    float first, second;
  };

  template <class Output>
  static __device__ __forceinline__ void put_sums(float* shared, const TileWork<bf16>& work,
                                                  const float (&sums)[kColumns / 2], const Output& output) {
    constexpr int kTogether = 8, kAcross = kSumColumns / kTogether, kRowsBetween = kWarpSize / kAcross;
    constexpr int kRowsOfLane = kSumRows / kRowsBetween;  // with more the sums would not stay in registers
    shared += warp_index() * kSumRows * kSumColumns;
    const int pair_row = lane_index() / 4, pair_column = 2 * (lane_index() % 4);
    const int row = lane_index() / kAcross, column = lane_index() % kAcross * kTogether;
#pragma unroll 1
    for (int first = 0; first < kColumns; first += kSumColumns) {
      // Which registers hold them is said by code, not by an index.
#pragma unroll
      for (int turn = 0; turn < kColumns; turn += kSumColumns)
        if (turn == first) {
#pragma unroll
          for (int i = 0; i < kSumColumns / 2; i += 2)
            *reinterpret_cast<Pair*>(shared +
                                     sum_place(pair_row + i / 2 % 2 * 8, i / 4 * 8 + pair_column)) = {
                sums[turn / 2 + i], sums[turn / 2 + i + 1]};
        }
      __syncwarp();
      float values[kRowsOfLane][kTogether];
#pragma unroll
      for (int r = 0; r < kRowsOfLane; ++r)
#pragma unroll
        for (int part = 0; part < kTogether; part += 4) {
          const Packed<float> pack = load_packed(shared + sum_place(row + r * kRowsBetween, column + part));
#pragma unroll
          for (int j = 0; j < 4; ++j) values[r][part + j] = pack[j];
        }
      output.put_rows(work.a.first + warp_index() * kSumRows + row, kRowsBetween,
                      work.b.first + first + column, values);
      __syncwarp();  // the sums have been read
    }
  }

  // Of a tile that sums nothing. (Set to 0 instead, the sums would not stay in registers.)
  template <class Output>
  static __device__ __forceinline__ void put_zeros(const TileWork<bf16>& work, const Output& output) {
    constexpr int kTogether = 8, kAcross = kColumns / kTogether;
#pragma unroll 1
    for (int i = int(threadIdx.x); i < kRows * kAcross; i += kProductLanes) {
      float values[kTogether] = {};
      output.put(work.a.first + i / kAcross, work.b.first + i % kAcross * kTogether, values);
    }
  }

  static __device__ __forceinline__ int steps_of(const TileWork<bf16>& work) {
    return work.k_end > work.k_begin ? (work.k_end - work.k_begin + kStep - 1) / kStep : 0;
  }

  template <bool TransposedA, bool TransposedB, class ItemOf>
  static __device__ __forceinline__ void copy_items(bf16* shared, int items, const ItemOf& item_of) {
    int copied = 0;  // stages
    for (int index = int(blockIdx.x); index < items; index += int(gridDim.x)) {
      const TileWork<bf16> work = item_of(index).work;
      for (int k = work.k_begin; k < work.k_end; k += kStep) {
        const int stage = copied % kStages;
        if (copied >= kStages) meet_at(empty(stage), kLanes);
        bf16* const to = shared + stage * kStage;
        copy_panel<kRows, TransposedA>(to, work.a, k, work.k_end);
        copy_panel<kColumns, !TransposedB>(to + kPanelA, work.b, k, work.k_end);
        commit_copies();
        if (++copied > kUnderWay) say_full<kUnderWay>(copied - 1 - kUnderWay);
      }
    }
    for (int i = copied < kUnderWay ? 0 : copied - kUnderWay; i < copied; ++i) say_full<0>(i);
    // A barrier that some came to is one that all come to.
    for (int i = copied < kStages ? 0 : copied - kStages; i < copied; ++i)
      meet_at(empty(i % kStages), kLanes);
  }

  // Of the stage that was filled as number `filled`, when at most UnderWay later ones are being filled.
  template <int UnderWay>
  static __device__ __forceinline__ void say_full(int filled) {
    wait_for_copies<UnderWay>();
    show_copies();
    arrive_at(full(filled % kStages), kLanes);
  }

  template <bool TransposedA, bool TransposedB, class ItemOf>
  static __device__ __forceinline__ void multiply_items(bf16* shared, int items, const ItemOf& item_of) {
    int stage = 0;
    for (int index = int(blockIdx.x); index < items; index += int(gridDim.x)) {
      const auto item = item_of(index);
      const int steps = steps_of(item.work);
      float sums[kColumns / 2];  // written by the first product
      for (int step = 0; step < steps; ++step) {
        const bf16* const a = shared + stage * kStage;
        meet_at(full(stage), kLanes);
        fence_products();
        multiply<TransposedA, TransposedB>(a, a + kPanelA, step > 0, sums);
        commit_products();
        wait_for_products<1>();  // those of the stage before
        if (step > 0) arrive_at(empty((stage + kStages - 1) % kStages), kLanes);
        stage = (stage + 1) % kStages;
      }
      wait_for_products<0>();
      if (steps > 0) arrive_at(empty((stage + kStages - 1) % kStages), kLanes);
      if (item.valid && steps > 0)
        put_sums(reinterpret_cast<float*>(shared + kStages * kStage), item.work, sums, item.output);
      else if (item.valid)
        put_zeros(item.work, item.output);
    }
  }

  // All lanes of the block: items blockIdx.x, blockIdx.x + gridDim.x, ...
  template <bool TransposedA, bool TransposedB, class ItemOf>
  static __device__ __forceinline__ void run(int items, const ItemOf& item_of) {
    bf16* const shared = dynamic_shared<bf16>();
    // The block has 168 registers a lane.
    if (int(threadIdx.x) < kProductLanes) {
      take_registers<224>();
      multiply_items<TransposedA, TransposedB>(shared, items, item_of);
    } else {
      give_registers<56>();
      copy_items<TransposedA, TransposedB>(shared, items, item_of);
    }
  }
};

struct Bf16Tiles {
  template <class Use>
  static void use(GemmTile tile, const Use& use) {
    if (tile == GemmTile::small)
      use.template operator()<Bf16Tile<kSmallTile>>();
    else if (tile == GemmTile::large)
      use.template operator()<Bf16Tile<kLargeTile>>();
    else
      use.template operator()<WarpgroupTile>();
  }
};

}  // namespace limoe::cuda
