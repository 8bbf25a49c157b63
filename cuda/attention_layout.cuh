// What all attention kernels are told, and how they are launched: blocks for (tiles of a sequence, heads).
#pragma once

#include <cmath>

#include "cuda/attention.h"
#include "cuda/packed.cuh"
#include "cuda/token_runs.cuh"

namespace limoe::cuda {

// Of one head.
struct HeadLayout {
  int64_t stride;   // elements from token to token in qkv
  int64_t columns;  // heads x width: q to k, k to v; from token to token in y
  int heads, width;
  float score_scale;
  bool packed;  // rows can be moved 16 bytes at a time

  __device__ int64_t in_qkv(int64_t token, int head) const { return token * stride + head * width; }
  __device__ int64_t in_y(int64_t token, int head) const { return token * columns + head * width; }
};

template <class T, class... Arrays>
HeadLayout head_layout(const AttentionSizes& sizes, const Arrays*... arrays) {
  const int64_t columns = sizes.heads * sizes.head_width;
  return {3 * columns,
          columns,
          narrow("heads", sizes.heads),
          narrow("head width", sizes.head_width),
          1.0f / std::sqrt(float(sizes.head_width)),
          can_pack<T>(sizes.head_width, arrays...)};
}

// Kernel(arguments, layout, batch) for the sequences of lengths shortest .. longest, cut into tiles of
// `tile`.
struct AttentionLaunch {
  int tile, lanes;
  size_t shared_bytes;
  int64_t shortest, longest;
};
template <auto Kernel, class Arguments>
void launch_attention(Stream stream, const Arguments& of, const AttentionSizes& sizes,
                      const HeadLayout& layout, const AttentionLaunch& shape) {
  for_each_batch(
      sizes.runs, sizes.run_count,
      [&](int64_t length) {
        return length < shape.shortest || length > shape.longest ? 0 : blocks_for(length, shape.tile);
      },
      [&](const RunBatch& batch) {
        launch<Kernel>(
            stream,
            {.grid = {batch.blocks, sizes.heads}, .block = shape.lanes, .shared_bytes = shape.shared_bytes},
            of, layout, batch);
      });
}

// True for the tokens that are asked.
__device__ inline bool is_key(const int32_t* key_valid, const SequencePlace& place, int key) {
  return key < place.length && (!key_valid || key_valid[place.first_token + key] != 0);
}

__device__ inline int rows_of_tile(const SequencePlace& place, int first, int tile) {
  return place.length - first < tile ? place.length - first : tile;
}

// use.template operator()<width>() with the least compiled width that holds a head.
template <class Use>
void with_head_width(int64_t width, const Use& use) {
  if (width <= 32)
    use.template operator()<32>();
  else if (width <= 64)
    use.template operator()<64>();
  else
    use.template operator()<128>();
}

}  // namespace limoe::cuda
