// Runs of sequences as an argument of a kernel, so that nothing has to be copied to the device first: as many
// as fit into one launch, the rest in further launches.
//
//   for_each_batch(runs, count, [](int64_t length) { return tiles of a sequence, 0 for none; },
//                  [&](const RunBatch& batch) { launch<kernel>(stream, {.grid = {batch.blocks}}, batch); });
//   const SequencePlace place = batch.place(blockIdx.x);
#pragma once

#include "cuda/device.cuh"
#include "cuda/token_runs.h"

namespace limoe::cuda {

// What one block works on.
struct SequencePlace {
  int64_t first_token, sequence;
  int length, tile;
};

struct RunBatch {
  static constexpr int kMostRuns = 96;  // 24 bytes each; arguments of a kernel have 4 KiB in all

  struct Run {
    int64_t first_token;
    int first_sequence, length, tiles, first_block;
  };
  int64_t blocks = 0;
  int count = 0;
  Run run[kMostRuns];

  __device__ SequencePlace place(int block) const {
    int low = 0, high = count - 1;  // the last run that begins at the block or before it
    while (low < high) {
      const int middle = (low + high + 1) / 2;
      if (run[middle].first_block <= block)
        low = middle;
      else
        high = middle - 1;
    }
    const int within = block - run[low].first_block;
    const int sequence = within / run[low].tiles;
    return {run[low].first_token + int64_t(sequence) * run[low].length, run[low].first_sequence + sequence,
            run[low].length, within % run[low].tiles};
  }
};

template <class TilesOf, class Use>
void for_each_batch(const TokenRun* runs, int count, const TilesOf& tiles_of, const Use& use) {
  RunBatch batch;
  const auto finish = [&] {
    if (batch.blocks > 0) use(batch);
    batch.blocks = 0;
    batch.count = 0;
  };
  for (int i = 0; i < count; ++i) {
    const int64_t tiles = tiles_of(runs[i].length), blocks = tiles * runs[i].count;
    if (blocks == 0) continue;
    if (batch.count == RunBatch::kMostRuns || batch.blocks + blocks > kMostBlocks) finish();
    batch.run[batch.count++] = {runs[i].first_token, narrow("sequences", runs[i].first_sequence),
                                narrow("length of a sequence", runs[i].length),
                                narrow("tiles of a sequence", tiles), narrow("blocks", batch.blocks)};
    batch.blocks += blocks;
  }
  finish();
}

}  // namespace limoe::cuda
